"""An interval: a mean with bounds, for a named population, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.statistics.students_t import quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Integers = NDArray[np.integer]  # of the smallest dtype that holds them
Limits = tuple[float | None, float | None]  # lowest and highest value of a quantity; None: no limit

FRACTION: Limits = (0.0, 1.0)
DIFFERENCE: Limits = (-1.0, 1.0)  # of two fractions
THESE_IMAGES = "these images"
NEW_IMAGES = "new images of these classes"
NEW_DRAWS = "new supports and new images of these classes"
DEPENDENT_DRAWS = "the draws depend on each other"  # why there is no interval, as rows store it


@dataclass(frozen=True)
class Interval:
    """A mean with an interval at a level, for a population; NaN bounds and a reason if no interval can be estimated."""

    mean: float
    low: float
    high: float
    population: str
    level: float = 0.95
    standard_error: float = float("nan")  # of the mean, on the scale of the mean
    monte_carlo: float = float("nan")  # share of the variance that is episode noise, in [0, 1]: more episodes lower it
    reason: str = ""  # why there are no bounds; rows store it

    @staticmethod
    def unknown(mean: float, population: str, level: float, reason: str) -> Interval:
        """A mean without bounds, and the reason."""
        return Interval(mean, float("nan"), float("nan"), population, level, reason=reason)

    def inside(self, limits: Limits) -> Interval:
        """The part of the interval within the limits of the quantity, with the mean inside. The truth lies within the
        limits too, so the coverage stays the same."""
        lowest, highest = (-np.inf if limits[0] is None else limits[0]), (np.inf if limits[1] is None else limits[1])
        if self.reason:
            return self
        return replace(self, low=min(max(self.low, lowest), self.mean), high=max(min(self.high, highest), self.mean))


def around(
    mean: float, error: float, freedom: float, population: str, level: float, monte_carlo: float = float("nan")
) -> Interval:
    """The mean +- t(freedom) times its standard error."""
    half = quantile(0.5 + level / 2, freedom) * error
    return Interval(mean, mean - half, mean + half, population, level, error, monte_carlo)
