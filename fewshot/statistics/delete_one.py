"""The delete-one-class jackknife: the mean without each class in turn, and the variance that it shows.

E episodes, N ways, C units (the classes that episodes sample from, or groups of classes), T the mean over episodes, and
T_-c the mean over the episodes without unit c.
"""

from __future__ import annotations

import numpy as np

from fewshot.statistics.interval import Floats
from fewshot.statistics.units import Units


def delete_one(values: Floats, units: Units) -> Floats:
    """[C] the mean over the episodes that do not hold unit c, with each number of ways weighted as in all episodes;
    NaN if no episode of some number of ways is left."""
    without, kinds = np.zeros(units.n_units), np.unique(units.n_way)
    removed, n_removed = (np.zeros(len(kinds) * units.n_units, kind) for kind in (np.float64, np.int64))
    for episode, unit in units.pairs():
        place = np.searchsorted(kinds, units.n_way[episode]) * units.n_units + unit
        np.add.at(removed, place, values[episode])  # in order, so the size of the blocks changes no bit
        n_removed += np.bincount(place, minlength=len(n_removed))
    by_kind = zip(kinds, removed.reshape(-1, units.n_units), n_removed.reshape(-1, units.n_units), strict=True)
    for n_way, total, count in by_kind:
        member = units.n_way == n_way
        left = member.sum() - count
        with np.errstate(invalid="ignore", divide="ignore"):
            without += member.mean() * np.where(left > 0, (values[member].sum() - total) / left, np.nan)
    return without


def pseudo_values(mean: float, without: Floats) -> Floats:
    """[C] C T - (C-1) T_-c: approximately what each class adds to the mean T."""
    return len(without) * mean - (len(without) - 1) * without


def variance_for_new(values: Floats, without: Floats, units: Units) -> tuple[float, float]:
    """The variance of the mean for new units, which counts the episode noise once, and the share of that noise in it,
    in [0, 1]."""
    (counted, noise), spread = _episode_noise(values, units), jackknife_variance(without)
    variance = min(spread, max(spread - counted, 0.0) + noise)
    return variance, min(1.0, noise / variance) if variance > 0 else 0.0


def jackknife_variance(without: Floats) -> float:
    """(C-1)/C times the sum over c of (T_-c - their mean)^2."""
    return float((len(without) - 1) * without.var())


def noise_factor(units: Units) -> float:
    """How many times the jackknife counts the episode noise s^2 / E: (C-1) N / (C-N); 0 if N is C, where it is not
    known."""
    held, c = sum(len(unit) for _, unit in units.pairs()) / len(units.n_way), units.n_units
    return (c - 1) * held / (c - held) if held < c else 0.0


def _episode_noise(values: Floats, units: Units) -> tuple[float, float]:
    """The variance of the mean that is episode noise: as the jackknife counts it, and once."""
    factor = noise_factor(units)
    if len(values) < 2 or not factor:
        return 0.0, 0.0
    noise = float(values.var(ddof=1)) / len(values)
    return factor * noise, noise
