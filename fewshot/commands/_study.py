"""What `fewshot study` prints. A bound that is not known is left empty, and a remark below says why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fewshot.scaling.studies.trained_rows import ONE_SEED

if TYPE_CHECKING:
    from fewshot.scaling.studies.sources import SourceMatrix, SourceToTarget


def adaptation_text(values: dict[str, Any], short: dict[str, str]) -> str:
    """The tables of exponents, their differences and errors downstream; `short` names protocols."""

    def table(lines: Sequence[dict[str, Any]], *names: str) -> str:
        return _table([_named(line, short) | {n: short.get(line[n], line[n]) for n in names} for line in lines])

    return "\n".join(
        [
            "b, minus the exponent of error over images, with a 95 % interval over seeds",
            table(values["exponents"], "b", "low", "high", "n_seeds"),
            "\nb_new - b_seen over the same checkpoints",
            table(values["new_minus_seen"], "minus", "difference", "low", "high"),
            "\nerror against the error over all seen classes: rank correlation, and slope of their logarithms",
            table(values["downstream"], "rank_correlation", "slope"),
            *_said_of_ladders(values["exponents"], short),
            *_why_unbounded([*values["exponents"], *values["new_minus_seen"]]),
        ]
    )


def classes_text(values: Sequence[dict[str, Any]], short: dict[str, str], said: Sequence[str]) -> str:
    """The tables of errors and of what more classes change, and what may be concluded; `short` names protocols."""
    columns = ("classes", "error", "low", "high")
    errors = [
        _named(line, short) | dict(zip(columns, rung, strict=True))
        for line in values
        for rung in zip(*(line[name] for name in columns), strict=True)
    ]
    return "\n".join(
        [
            "error over classes of pre-training, mean over seeds with a 95 % t interval",
            _table(errors),
            "\nerror at the most classes minus error at the fewest, paired by seed",
            _table([_named(line, short) | _change(line) for line in values]),
            "",
            *said,
            *_said_of_ladders(values, short),
            *_why_unbounded(line["change"] for line in values),
        ]
    )


def _named(line: dict[str, Any], short: dict[str, str]) -> dict[str, Any]:
    return {name: short.get(line[name], line[name]) for name in ("trained_on", "n_params", "rule", "protocol")}


def _change(line: dict[str, Any]) -> dict[str, Any]:
    bounds = {name: line["change"][name] for name in ("value", "low", "high")}
    return bounds | {"n_seeds": line["n_seeds"], "more_classes": line["more_classes"]}


def gains_text(lines: Sequence[dict[str, Any]]) -> str:
    """A line a gain."""
    return "\n".join([_table(lines), *_why_unbounded(line | {"how": ONE_SEED} for line in lines)])


def matrix_text(matrix: SourceMatrix) -> str:
    """Sources down, targets across."""
    from fewshot.plugins.registry import BACKBONES, DATASETS, RECIPES
    from fewshot.report.studies.study import short_head

    network, recipe = BACKBONES.read(matrix.network).short_name, RECIPES.read(matrix.recipe).short_name
    trained = f"{network}, {recipe}, {matrix.images} images of each source"
    title = f"{trained}; {short_head(matrix.head)}, {matrix.n_way}-way {matrix.k_shot}-shot"
    lines = []
    for source in matrix.sources:
        cells = {DATASETS.read(target).short_name: _cell_text(matrix.cell(source, target)) for target in matrix.targets}
        lines.append({"trained on": source} | cells)
    remarks = _why_unbounded({"low": cell.low, "how": ONE_SEED} for cell in matrix.cells)
    return "\n".join([title, _table(lines), *remarks])


def _cell_text(cell: SourceToTarget | None) -> str:
    if cell is None:
        return ""
    return f"{cell.mean:.3f}" + (f" [{cell.low:.3f}, {cell.high:.3f}]" if math.isfinite(cell.low) else "")


def _said_of_ladders(found: Iterable[dict[str, Any]], short: dict[str, str]) -> list[str]:
    """What was left out of each ladder, and what was assumed of it."""
    named = [(f"{e['trained_on']}, {short[e['protocol']]}, {e['rule']}, {e['n_params']} parameters", e) for e in found]
    left_out = [f"left out: {name}: {why}" for name, e in named for why in e["dropped"]]
    return left_out + list(dict.fromkeys(e["remark"] for _, e in named if e.get("remark")))


def _why_unbounded(lines: Iterable[dict[str, Any]]) -> list[str]:
    """Each reason, once, why a line has no interval."""
    return list(dict.fromkeys(line["how"] for line in lines if not math.isfinite(line["low"])))


def _table(lines: Sequence[dict[str, Any]]) -> str:
    """A line each; numbers that are none stay empty."""
    from tabulate import tabulate

    return tabulate([{n: _shown(v) for n, v in line.items()} for line in lines], headers="keys", floatfmt=".3f")


def _shown(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
