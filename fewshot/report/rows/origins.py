"""Where every row comes from: its columns in reading order, and the command that reproduces it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.report.rows.typed import quoted, typed, typed_backbone, typed_data
from fewshot.report.rows.wording import percent
from fewshot.results.comparability import benchmark
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import Selection

_IN_HEADING = ("run_id", "status", "error")
_ALL_WHERE_NONE = ("n_way", "k_shot", "n_query")


@dataclass(frozen=True)
class Origin:
    """A row with the columns that differ between rows."""

    run_id: str
    heading: str
    accuracy: str
    columns: tuple[tuple[str, str], ...]
    command: str


def origins(rows: Sequence[Row], shown: Shown, common: Sequence[tuple[str, str]]) -> list[Origin]:
    """Rows that did not fail, without the columns `common` to all rows, which `shared` returns."""
    without = {name for name, _ in common}
    return [
        Origin(
            row.run_id,
            ", ".join([*shown.name(row), shot_label(row), shown.title(row)]),
            percent(row),
            tuple(_columns(row, without)),
            command(row),
        )
        for row in rows
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
    """The command that reproduces a row, as one would type it: the suite of its protocol, or a single run without
    options that have their defaults."""
    if benchmark(row):
        name, own = row.protocol.rpartition("@")[0], method_options(row)
        own = [own[0], own[3]] if row.selection_rule else own  # its own head chooses hyperparameters; others do not
        return " ".join(["fewshot run --benchmark", quoted(name), "--data ROOT", *words(own)])
    if row.protocol:
        return f"fewshot bench {quoted(row.protocol.partition('@')[0])}"
    return " ".join(["fewshot run", *words([*_data(row), *method_options(row), *_episodes(row)])])


def words(options: Sequence[tuple[str, ...]]) -> list[str]:
    """The words of these options, quoted for a shell."""
    return [quoted(word) for option in options for word in option if word]


def _data(row: Row) -> list[tuple[str, ...]]:
    spec = specs_of(row)
    return [
        ("--data", typed_data(spec.dataset)),
        ("--split", typed(spec.split)) if row.split else (),
        ("--classes", row.classes) if row.classes not in ("novel", "", "listed") else (),
    ]


def method_options(row: Row) -> list[tuple[str, ...]]:
    """The options of the backbone, of the method, and of the choice of its hyperparameters."""
    spec = specs_of(row)
    usual = row.transform in ("", spec.evaluator.declares("usual_transform"))
    return [
        ("--backbone", typed_backbone(spec.backbone)),
        () if usual else ("--transform", typed(spec.transform)),
        ("--evaluator", typed(spec.evaluator)),
        ("--dtype", row.dtype) if row.dtype not in ("float32", "") else (),
        *selection_options(spec.selection),
    ]


def selection_options(rule: Selection | None) -> list[tuple[str, ...]]:
    """The options for a choice of hyperparameters before the run; none for no choice."""
    if rule is None:
        return []
    grids = ((name, values if isinstance(values, str) else ",".join(map(str, values))) for name, values in rule.grid)
    grid = [("--grid", f"{name}={values}") for name, values in grids]
    return [("--select", rule.on), *grid, () if rule.n_episodes == 200 else ("--select-episodes", str(rule.n_episodes))]


def _episodes(row: Row) -> list[tuple[str, ...]]:
    spec, count = specs_of(row), () if row.n_episodes == 600 else ("--episodes", str(row.n_episodes))
    if spec.from_file:
        return [count, ("--list", str(spec.sampler.fields.get("path", "FILE")))]
    plain = spec.is_plainly_balanced
    return [
        () if plain and row.n_way == 5 else ("--way", _open(row.n_way)),
        ("--shot", _open(row.k_shot)),
        () if plain and row.n_query == 15 else ("--query", _open(row.n_query)),
        count,
        ("--at-most",) if row.k_shot_at_most else (),
        () if plain else ("--sampler", typed(spec.sampler)),
        ("--seed", str(row.seed)) if row.seed else (),
    ]


def _open(size: int | None) -> str:
    return "all" if size is None else str(size)


def protocols(shown: Shown) -> list[str]:
    """The names of the protocols of the rows."""
    return list(dict.fromkeys(row.protocol for row in shown.done if row.protocol))


def _columns(row: Row, without: set[str]) -> list[tuple[str, str]]:
    columns = {name: value for name, value in row.columns().items() if name not in without and name not in _IN_HEADING}
    texts = [(n, _text(value)) for n, value in columns.items() if value is not None or n in _ALL_WHERE_NONE]
    return [(name, text) for name, text in texts if text]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "not a number"
    return "all" if value is None else str(value)
