"""Recognises columns of scores as accuracy, error or loss, in % or not, and converts them to what falls with progress.

Laws describe what falls. If neither the name nor the values of a column identify it, the user must: a law that is
fitted to an accuracy as if it were an error describes its rise, and passes every test of trust.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.files.quoting import quoted
from fewshot.results.conditions import as_number
from fewshot.scaling.fits.tables import CurveTable
from fewshot.scaling.laws import Floats

ACCURACY, ERROR, LOSS = METRICS = ("accuracy", "error", "loss")
_NAMES = {ACCURACY: r"acc|top[-_ ]?\d|correct|auroc|f1", ERROR: r"err", LOSS: r"loss|nll|entropy|perplexity|nats"}
_LOGARITHM = "of an error above 0, because 0 has no logarithm (omit it with --where)"


@dataclass(frozen=True, eq=False)
class Scores:
    """A column of scores, converted to what falls with progress."""

    column: str
    metric: str
    percent: bool
    falling: Floats  # [lines]: the error in (0, 1] for an accuracy or an error; a loss unchanged

    @property
    def most(self) -> float:
        """The largest possible value."""
        return np.inf if self.metric == LOSS else 1.0

    @property
    def sentence(self) -> str:
        """How the column was read."""
        unit = " in %" if self.percent else ""
        if self.metric == ACCURACY:
            return f"{quoted(self.column)} is read as an accuracy{unit}; the fits are of the error, 1 - accuracy"
        return f"{quoted(self.column)} is read as {'an error' if self.metric == ERROR else 'a loss'}{unit}"


def scores(
    table: CurveTable,
    column: str,
    curves: Iterable[tuple[Floats, Sequence[int]]],
    metric: str = "",
    usual: str = ERROR,
) -> Scores:
    """A column, converted to what falls. `curves`: x [n] of each curve, and the places of its lines. Without `metric`,
    the column is an accuracy if it is named so, a loss if it is named so and exceeds 1, and `usual` otherwise."""
    values, signs = table.converted(column, _number), _percent_signs(table, column)
    metric = metric or _recognised(column, values, signs, curves, usual)
    if metric == LOSS:
        if signs.any():
            raise ValueError(
                f"a loss is not a percentage, but {quoted(column)} of {table.path} has % signs; add --metric error"
            )
        table.check(column, values > 0, values, "a loss above 0")
        return Scores(column, LOSS, False, values)
    percent = signs | _mostly_above_1(values[~signs])
    _check_one_unit(table, column, values, percent & ~signs)
    fractions = np.where(percent, values / 100, values)
    inside = (fractions >= 0) & (fractions <= 1)
    table.check(column, inside, values, "in [0, 100] %" if percent.all() else "in [0, 1], or --metric loss")
    errors = 1 - fractions if metric == ACCURACY else fractions
    table.check(column, errors > 0, values, _LOGARITHM)
    return Scores(column, metric, bool(percent.any()), errors)


def rise(x: Floats, values: Floats) -> float:
    """The rank correlation of values with x: 1 if they always rise, -1 if they always fall, 0 if they do not change."""
    from scipy import stats

    if len(np.unique(x)) < 2 or len(np.unique(values)) < 2:
        return 0.0
    return float(stats.spearmanr(x, values).statistic)


def _recognised(
    column: str,
    values: Floats,
    signs: NDArray[np.bool_],
    curves: Iterable[tuple[Floats, Sequence[int]]],
    usual: str,
) -> str:
    """The metric of a column by its name and its values. Raises a ValueError if they contradict each other or do not
    suffice."""
    named = next((each for each, pattern in _NAMES.items() if re.search(pattern, column, re.IGNORECASE)), "")
    if named == ACCURACY:
        if np.median([rise(x, values[places]) for x, places in curves]) > 0:
            return ACCURACY
        raise ValueError(
            f"{quoted(column)} is named like an accuracy, but does not rise; add --metric accuracy or --metric error"
        )
    if signs.any():
        return ERROR
    if usual == LOSS or (named == LOSS and (values > 1).any()):
        return LOSS
    if named != ERROR and _mostly_above_1(values):
        raise ValueError(
            f"{quoted(column)} exceeds 1 (up to {values.max():g}), so it may be a loss or a "
            "percentage; add --metric loss, --metric error or --metric accuracy"
        )
    return ERROR


def _mostly_above_1(values: Floats) -> bool:
    """Whether numbers without a sign are percentages. A single one above 1 among fractions is a mistake."""
    return bool(len(values)) and float(np.mean(values > 1)) > 0.5


def _check_one_unit(table: CurveTable, column: str, values: Floats, percent: NDArray[np.bool_]) -> None:
    """Raises a ValueError if some of the numbers that are `percent` without a sign are probably fractions: as
    fractions they are nearer, by their ratio, to a number above 1, and at most twice the largest one."""
    if not percent.any():
        return
    large = np.log(values[percent & (values > 1)])
    small = np.flatnonzero(percent & (values > 0) & (values <= 1))
    logs, hundred = np.log(values[small]), np.log(100)
    as_percent, as_fraction = (np.abs(logs[:, None] + shift - large).min(1) for shift in (0, hundred))
    is_mixed = (as_fraction < as_percent) & (logs + hundred <= large.max() + np.log(2))
    mixed: list[int] = small[is_mixed].tolist()
    if mixed:
        named = ", ".join(f"{values[at]:g} (data line {table.place(at + 1)})" for at in mixed[:5])
        more = f" and {len(mixed) - 5} more" if len(mixed) > 5 else ""
        raise ValueError(
            f"{quoted(column)} of {table.path} seems to mix percentages and fractions: most numbers exceed 1, but not "
            f"{named}{more}; multiply fractions by 100, and write percentages with a % sign"
        )


def _number(value: Any) -> float | None:
    """A number, with a percent sign or without."""
    return as_number(value.strip().removesuffix("%") if isinstance(value, str) else value)


def _percent_signs(table: CurveTable, column: str) -> NDArray[np.bool_]:
    """[lines] whether a value has a percent sign."""
    return np.array([str(line.get(column, "")).strip().endswith("%") for line in table.lines], bool)
