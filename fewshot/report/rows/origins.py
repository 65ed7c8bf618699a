"""Where every row comes from: its columns in reading order, and the command that makes it again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fewshot.plugins.registry import SAMPLERS
from fewshot.report.rows.tasks import Task, contender, shot_label, tasks
from fewshot.report.rows.wording import contender_names, percent
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
    """A row with everything that is particular to it."""

    run_id: str
    heading: str
    accuracy: str
    columns: tuple[tuple[str, str], ...]
    command: str


def origins(rows: Sequence[Row]) -> list[Origin]:
    """Every row that did not fail; columns with the same value in all rows are left to `shared`."""
    names, common = contender_names(rows), {name for name, _ in shared(rows)}
    titles = {id(row): task.title for task in tasks(rows) for row in task.rows}
    return [
        Origin(
            row.run_id,
            ", ".join([*names[contender(row)], shot_label(row), titles[id(row)]]),
            percent(row),
            tuple(_columns(row, common)),
            command(row),
        )
        for row in rows
        if row.status != "failed"
    ]


def shared(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """The columns that say the same in all rows that did not fail."""
    done = [row for row in rows if row.status != "failed"]
    if len(done) < 2:
        return []
    same = dict(_columns(done[0], set(_IN_HEADING)))
    for row in done[1:]:
        columns = row.columns()
        same = {name: text for name, text in same.items() if _text(columns[name]) == text}
    return list(same.items())


def written_out(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Short names of backbones and of evaluators with their transforms, and the specs that they stand for."""
    names = contender_names(rows)
    specs = {names[c][0]: c[0] for c in names} | {names[c][1]: " + ".join(filter(None, c[1:3])) for c in names}
    return [(name, spec) for name, spec in specs.items() if name != spec]


def command(row: Row) -> str:
    """What to type to make a row again: the suite of its protocol, or a single run."""
    if row.protocol:
        return f"fewshot bench {shlex.quote(row.protocol.partition('@')[0])}"
    words = ["fewshot", "run", "--data", row.dataset]
    listed = row.sampler.startswith("Listed")
    for name, option in _OPTIONS.items():
        if not (listed and name in ("n_way", "k_shot", "n_query")) and getattr(row, name) != "":
            words += [option, "all" if getattr(row, name) is None else str(getattr(row, name))]
    words += ["--classes", row.classes] if row.classes not in ("novel", "", "listed") else []
    words += ["--dtype", row.dtype] if row.dtype not in ("float32", "") else []
    words += ["--at-most"] if row.k_shot_at_most else []
    words += _episodes(row, listed)
    return " ".join(shlex.quote(word) for word in words)


def protocols(found: Sequence[Task]) -> list[str]:
    """The names of the protocols that the rows were made under."""
    return list(dict.fromkeys(row.protocol for task in found for row in task.rows if row.protocol))


def _episodes(row: Row, listed: bool) -> list[str]:
    if not listed:
        return ["--sampler", row.sampler, "--seed", str(row.seed)]
    return ["--list", str(SAMPLERS.read(row.sampler).fields.get("path", "FILE"))]


def _columns(row: Row, without: set[str]) -> list[tuple[str, str]]:
    columns = {name: value for name, value in row.columns().items() if name not in without and name not in _IN_HEADING}
    texts = [(n, _text(value)) for n, value in columns.items() if value is not None or n in _ALL_WHERE_NONE]
    return [(name, text) for name, text in texts if text]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "not a number"
    return "all" if value is None else str(value)
