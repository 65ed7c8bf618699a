"""The accuracy of the episodes that go worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.measures import Measure, Tally, Whole, with_bounds
from fewshot.results.columns import Value
from fewshot.results.predictions import Predictions
from fewshot.statistics.class_intervals import deleted_interval
from fewshot.statistics.interval import Floats, Interval
from fewshot.statistics.units import Units

SHARE = 0.1
FEWEST = 10  # episodes


@dataclass(frozen=True)
class LowestTenth(Measure):
    """The mean accuracy of the worst 10 % of the episodes; it needs at least 10 episodes."""

    columns: ClassVar = {
        "lowest_tenth": "float | None",
        "lowest_tenth_low": "float | None",
        "lowest_tenth_high": "float | None",
    }
    title = "lowest tenth"
    unit = "%"
    better = "higher"

    def tally(self, n_units: int) -> Tally:
        return _Tally()


class _Tally(Tally):
    """Keeps nothing: `Whole` has the accuracies of all episodes."""

    def add(self, predictions: Predictions, units: Units) -> None:
        pass

    def values(self, whole: Whole) -> Mapping[str, Value]:
        return with_bounds(LowestTenth, lowest_tenth_interval(whole.accuracy, whole.units, whole.half_query))


def lowest_tenth(values: Floats, weights: Floats | None = None) -> float:
    """The mean of the lowest 10 % of the values [E]; an episode across the 10 % line counts in part, and `weights` [E]
    gives the weight of each.

    It measures the bad luck of few queries as well as hard tasks: with one query per class, the lowest tenth of
    equally hard tasks is far below their mean."""
    order = np.argsort(values, kind="stable")
    return _lowest(values[order], np.ones(len(values)) if weights is None else weights[order])


def lowest_tenth_interval(values: Floats, units: Units, half_query: float, level: float = 0.95) -> Interval:
    """`lowest_tenth` with an interval for new classes: the delete-one-class jackknife on the logit scale, each number
    of ways weighted as in all episodes. With fewer than 10 episodes there is no tenth, and the mean is NaN."""
    if len(values) < FEWEST:
        reason = f"{len(values)} episodes have no lowest tenth; at least {FEWEST} are needed"
        return Interval.unknown(float("nan"), f"new {units.name}", level, reason)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    kinds = np.searchsorted(np.unique(units.n_way), units.n_way).astype(np.uint16)
    total = np.bincount(kinds)
    without = np.empty(units.n_units)
    for unit, episodes in enumerate(units.holders()):
        left = total - np.bincount(kinds[episodes], minlength=len(total))
        weights = (total / np.maximum(left, 1))[kinds]
        weights[episodes] = 0
        without[unit] = np.nan if (left == 0).any() else _lowest(ordered, weights[order])
    return deleted_interval(_lowest(ordered, np.ones(len(values))), without, units, level, half_query)


def _lowest(ascending: Floats, weights: Floats) -> float:
    """The weighted mean of the lowest tenth of ascending values."""
    counted = np.cumsum(weights)
    mass = SHARE * counted[-1]
    counted -= weights
    np.subtract(mass, counted, out=counted)
    np.clip(counted, 0, weights, out=counted)
    return float(np.clip(counted @ ascending / mass, ascending[0], ascending[-1]))  # rounding may leave the range
