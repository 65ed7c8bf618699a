"""What a column of scores is: an accuracy, an error or a loss, in percent or not; and what falls where it gets better.

Laws describe what falls. Where neither the name nor the values of a column tell what it is, the user has to: a law
fitted to an accuracy as if it were an error describes its rise, and passes every test of trust.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.results.conditions import as_number
from fewshot.scaling.fits.tables import CurveTable
from fewshot.scaling.laws import Floats

ACCURACY, ERROR, LOSS = METRICS = ("accuracy", "error", "loss")
_NAMES = {ACCURACY: r"acc|top[-_ ]?\d|correct|auroc|f1", ERROR: r"err", LOSS: r"loss|nll|entropy|perplexity|nats"}
_LOGARITHM = "of an error above 0, which has a logarithm (leave it out with --where)"


@dataclass(frozen=True, eq=False)
class Scores:
    """A column of scores as what falls where it gets better."""

    column: str
    metric: str
    percent: bool
    falling: Floats  # [lines]: the error in (0, 1] of an accuracy or an error; a loss as it is

    @property
    def most(self) -> float:
        """The largest that there can be."""
        return np.inf if self.metric == LOSS else 1.0

    @property
    def sentence(self) -> str:
        """What was fitted."""
        unit = " in percent" if self.percent else ""
        if self.metric == ACCURACY:
            return f"{self.column!r} is read as an accuracy{unit}; fitted is the error, 1 - accuracy"
        return f"{self.column!r} is read as {'an error' if self.metric == ERROR else 'a loss'}{unit}"


def scores(
    table: CurveTable,
    column: str,
    curves: Iterable[tuple[Floats, Sequence[int]]],
    metric: str = "",
    usual: str = ERROR,
) -> Scores:
    """A column as what falls. `curves`: x [n] of each curve, and the places of its lines. Without `metric` the column
    is an accuracy where it is named so, a loss where it is named so and exceeds 1, and else what is `usual`."""
    values, signs = table.converted(column, _number), _percent_signs(table, column)
    metric = metric or _guessed(column, values, signs, curves, usual)
    if metric == LOSS:
        if signs.any():
            raise ValueError(f"a loss is no percentage, but {column!r} of {table.path} has % signs; add --metric error")
        table.check(column, values > 0, values, "a loss above 0")
        return Scores(column, LOSS, False, values)
    percent = signs | _mostly_above_1(values[~signs])
    fractions = np.where(percent, values / 100, values)
    inside = (fractions >= 0) & (fractions <= 1)
    table.check(column, inside, values, "in [0, 100] %" if percent.all() else "in [0, 1], or --metric loss")
    errors = 1 - fractions if metric == ACCURACY else fractions
    table.check(column, errors > 0, values, _LOGARITHM)
    return Scores(column, metric, bool(percent.any()), errors)


def rise(x: Floats, values: Floats) -> float:
    """The rank correlation of values with x: 1 where they always rise, -1 where they always fall, 0 where they do not
    change."""
    from scipy import stats

    if len(np.unique(x)) < 2 or len(np.unique(values)) < 2:
        return 0.0
    return float(stats.spearmanr(x, values).statistic)


def _guessed(
    column: str,
    values: Floats,
    signs: NDArray[np.bool_],
    curves: Iterable[tuple[Floats, Sequence[int]]],
    usual: str,
) -> str:
    """What a column is by its name and its values; a ValueError where they contradict each other or tell too little."""
    named = next((each for each, pattern in _NAMES.items() if re.search(pattern, column, re.IGNORECASE)), "")
    if named == ACCURACY:
        if np.median([rise(x, values[places]) for x, places in curves]) > 0:
            return ACCURACY
        raise ValueError(f"{column!r} is named like an accuracy, but does not rise; add --metric accuracy or error")
    if signs.any():
        return ERROR
    if usual == LOSS or (named == LOSS and (values > 1).any()):
        return LOSS
    if named != ERROR and _mostly_above_1(values):
        raise ValueError(
            f"{column!r} exceeds 1 (up to {values.max():g}), so it may be a loss or a percentage; add --metric loss, "
            "--metric error or --metric accuracy"
        )
    return ERROR


def _mostly_above_1(values: Floats) -> bool:
    """Whether numbers without a sign are percentages; a single one above 1 among fractions is a slip."""
    return bool(len(values)) and float(np.mean(values > 1)) > 0.5


def _number(value: Any) -> float | None:
    """A number, with a percent sign or without."""
    return as_number(value.strip().removesuffix("%") if isinstance(value, str) else value)


def _percent_signs(table: CurveTable, column: str) -> NDArray[np.bool_]:
    """[lines] whether a value has a percent sign."""
    return np.array([str(line.get(column, "")).strip().endswith("%") for line in table.lines], bool)
