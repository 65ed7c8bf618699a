"""What a number is worth: means with intervals that name their population. numpy and scipy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THESE_IMAGES = "these images"


@dataclass(frozen=True)
class Interval:
    """A mean with an interval at a stated level for a stated population; NaN bounds where it cannot be estimated."""

    mean: float
    low: float
    high: float
    population: str
    level: float = 0.95


def episode_interval(values: NDArray[np.float64], level: float = 0.95) -> Interval:
    """The mean over episodes +- t(E-1) s / sqrt(E), s with ddof 1: it speaks of other episodes from *these images*
    and classes, not of new images or new classes (Lafargue et al. 2024, arXiv 2409.02850). One episode has a mean
    and no interval. Bounds of an accuracy may pass 0 or 1."""
    from scipy.stats import t

    n = len(values)
    if n == 0:
        raise ValueError("a mean over episodes needs at least one episode, got none")
    mean = float(values.mean())
    if n == 1:
        return Interval(mean, float("nan"), float("nan"), THESE_IMAGES, level)
    half = float(t.ppf(0.5 + level / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, THESE_IMAGES, level)
