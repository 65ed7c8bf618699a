"""Where every row comes from: its columns in reading order, and the command that reproduces it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.report.rows.wording import percent
from fewshot.results.asked import asked
from fewshot.results.row import Row

_IN_HEADING = ("run_id", "status", "error")
_ALL_WHERE_NONE = ("n_way", "k_shot", "n_query")
_OPTIONS = {
    "split": "--split",
    "backbone": "--backbone",
    "transform": "--transform",
    "evaluator": "--evaluator",
    "n_way": "--way",
    "k_shot": "--shot",
    "n_query": "--query",
    "n_episodes": "--episodes",
}


@dataclass(frozen=True)
class Origin:
    """A row with the columns that differ between rows."""

    run_id: str
    heading: str
    accuracy: str
    columns: tuple[tuple[str, str], ...]
    command: str


def origins(shown: Shown, common: Sequence[tuple[str, str]]) -> list[Origin]:
    """Every row that did not fail, without the columns `common` to all rows, which `shared` returns."""
    without = {name for name, _ in common}
    return [
        Origin(
            row.run_id,
            ", ".join([*shown.name(row), shot_label(row), shown.title(row)]),
            percent(row),
            tuple(_columns(row, without)),
            command(row),
        )
        for row in shown.done
    ]


def shared(shown: Shown) -> list[tuple[str, str]]:
    """The columns with one value in all rows that did not fail; none for a single row."""
    done = shown.done
    if len(done) < 2:
        return []
    same = dict(_columns(done[0], set(_IN_HEADING)))
    for row in done[1:]:
        columns = row.columns()
        same = {name: text for name, text in same.items() if _text(columns[name]) == text}
    return list(same.items())


def full_specs(shown: Shown) -> list[tuple[str, str]]:
    """Short names of backbones and evaluators, and their full specs."""
    specs = {name.backbone: each.backbone.text for each, name in shown.names.items()}
    specs |= {
        name.learner: " + ".join(filter(None, (each.transform.text, each.evaluator.text)))
        for each, name in shown.names.items()
    }
    return [(name, spec) for name, spec in specs.items() if name != spec]


def command(row: Row) -> str:
    """The command that reproduces a row: the suite of its protocol, or a single run."""
    if row.protocol:
        return f"fewshot bench {shlex.quote(row.protocol.partition('@')[0])}"
    words = ["fewshot", "run", "--data", row.dataset]
    from_file = asked(row).from_file
    for name, option in _OPTIONS.items():
        if not (from_file and name in ("n_way", "k_shot", "n_query")) and getattr(row, name) != "":
            words += [option, "all" if getattr(row, name) is None else str(getattr(row, name))]
    words += ["--classes", row.classes] if row.classes not in ("novel", "", "listed") else []
    words += ["--dtype", row.dtype] if row.dtype not in ("float32", "") else []
    words += ["--at-most"] if row.k_shot_at_most else []
    words += _episodes(row, from_file)
    return " ".join(shlex.quote(word) for word in words)


def protocols(shown: Shown) -> list[str]:
    """The names of the protocols of the rows."""
    return list(dict.fromkeys(row.protocol for row in shown.done if row.protocol))


def _episodes(row: Row, from_file: bool) -> list[str]:
    if not from_file:
        return ["--sampler", row.sampler, "--seed", str(row.seed)]
    return ["--list", str(asked(row).sampler.fields.get("path", "FILE"))]


def _columns(row: Row, without: set[str]) -> list[tuple[str, str]]:
    columns = {name: value for name, value in row.columns().items() if name not in without and name not in _IN_HEADING}
    texts = [(n, _text(value)) for n, value in columns.items() if value is not None or n in _ALL_WHERE_NONE]
    return [(name, text) for name, text in texts if text]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "not a number"
    return "all" if value is None else str(value)
