"""What a number is worth: means with intervals that name the population they speak of. numpy and scipy only.

E episodes, N ways, C units (the classes that episodes are drawn from, or groups of them), T the mean over episodes.
An interval is chosen by what the design allows; where it cannot be had, it says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Integers = NDArray[np.integer]  # as few bytes each as they need

THESE_IMAGES = "these images"
NEW_IMAGES = "new images of these classes"
NEW_DRAWS = "new supports and new images of these classes"
FEWEST_POOLS = 5
_AT_ONCE = 4096  # episodes whose units are put in order


@dataclass(frozen=True)
class Interval:
    """A mean with an interval at a stated level for a stated population; NaN bounds, and the reason, where it cannot
    be estimated."""

    mean: float
    low: float
    high: float
    population: str
    level: float = 0.95
    standard_error: float = float("nan")  # of the mean, on its own scale
    monte_carlo: float = float("nan")  # share of the variance that more episodes would take away, in [0, 1]
    reason: str = ""  # why there are no bounds

    @staticmethod
    def unknown(mean: float, population: str, level: float, reason: str) -> Interval:
        """A mean without bounds."""
        return Interval(mean, float("nan"), float("nan"), population, level, reason=reason)


@dataclass(frozen=True, eq=False)
class Units:
    """Which units every episode holds: classes, or the groups that they belong to (superclasses, scripts)."""

    held: Integers  # flat, episode after episode, in [0, n_units)
    n_way: Integers  # [E]
    n_units: int  # C: those that episodes are drawn from, whether one was drawn or not
    name: str = "classes"

    def pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """Episode and unit of every unit that an episode holds, ascending, some episodes at a time: a group stands once
        in an episode."""
        reached = 0
        for first in range(0, len(self.n_way), _AT_ONCE):
            n_way = self.n_way[first : first + _AT_ONCE]
            episode = np.repeat(np.arange(first, first + len(n_way)), n_way)
            ordered = np.sort(episode * self.n_units + self.held[reached : reached + len(episode)])
            reached += len(episode)
            yield np.divmod(
                ordered[np.diff(ordered, prepend=-1) > 0], self.n_units
            )  # np.unique takes ten times as long

    def holders(self) -> Iterator[Ints]:
        """Of every unit the episodes that hold it, ascending; a unit at a time."""
        ends = np.cumsum(self.n_way)
        for unit in range(self.n_units):
            episode = np.searchsorted(ends, np.flatnonzero(self.held == unit), side="right")
            yield episode[np.diff(episode, prepend=-1) > 0]

    def grouped(self, codes: Ints, n_groups: int, name: str) -> Units:
        """The same episodes with group `codes[c]` in place of class c."""
        return Units(codes[self.held], self.n_way, n_groups, name)

    def at(self, episodes: NDArray[np.bool_]) -> Units:
        """The units of some episodes."""
        return replace(self, held=self.held[np.repeat(episodes, self.n_way)], n_way=self.n_way[episodes])

    def first(self, count: int) -> Units:
        """The units of the first episodes."""
        n_way = self.n_way[:count]
        return Units(self.held[: n_way.sum()], n_way, self.n_units, self.name)


def episode_interval(values: Floats, level: float = 0.95) -> Interval:
    """The mean over episodes +- t(E-1) s / sqrt(E), s with ddof 1: it speaks of other episodes from *these images*
    and classes, not of new images or new classes (Lafargue et al. 2024, arXiv 2409.02850). One episode has a mean
    and no interval. Bounds of an accuracy may pass 0 or 1."""
    n = len(values)
    if n == 0:
        raise ValueError("a mean over episodes needs at least one episode, got none")
    mean = float(values.mean())
    if n == 1:
        return Interval.unknown(mean, THESE_IMAGES, level, "one episode has no spread")
    error = float(values.std(ddof=1) / np.sqrt(n))
    return _around(mean, error, n - 1, THESE_IMAGES, level, monte_carlo=1.0)


def pool_interval(values: Floats, pools: Ints, level: float = 0.95) -> Interval:
    """The mean of the means T_g of G disjoint image pools +- t(G-1) sd(T_g) / sqrt(G): it speaks of *new images of
    these classes*. `pools` [E]: the pool that all images of an episode come from. Below 5 pools there are no bounds."""
    names = np.unique(pools)
    code = np.searchsorted(names, pools)
    means = np.bincount(code, weights=values) / np.bincount(code)
    mean = float(means.mean())
    if len(names) < FEWEST_POOLS:
        reason = f"{len(names)} disjoint pools of images; at least {FEWEST_POOLS} are needed"
        reason = reason if len(names) > 1 else "the episodes share images; draw them with DisjointPools"
        return Interval.unknown(mean, NEW_IMAGES, level, reason)
    error = float(means.std(ddof=1) / np.sqrt(len(names)))
    return _around(mean, error, len(names) - 1, NEW_IMAGES, level)


def class_interval(values: Floats, units: Units, level: float = 0.95, half_query: float | None = None) -> Interval:
    """An interval that speaks of *new classes*: the delete-one-class jackknife with the quantile of t(C-1).

    T_-c is the mean over the episodes without unit c (stratified by the number of ways), V = (C-1)/C times the sum
    over c of (T_-c - mean)^2. `half_query`: half of one query's share in the mean; then `values` are accuracies, and
    the interval is made on the logit scale, clamped by it, and mapped back. None: a difference, on the plain scale.
    """
    without = delete_one(values, units)
    found = deleted_interval(float(values.mean()), without, units, level, half_query)
    if found.reason:
        return found
    plain = found.standard_error**2
    return replace(found, monte_carlo=min(1.0, _monte_carlo_part(values, units) / plain) if plain > 0 else 0.0)


def deleted_interval(
    mean: float, without: Floats, units: Units, level: float = 0.95, half_query: float | None = None
) -> Interval:
    """The interval of `class_interval` for any number of some episodes, `without` [C] the same number of those that do
    not hold unit c, NaN where that leaves too few."""
    population, reason = f"new {units.name}", ""
    if units.n_units < 3:
        reason = f"{units.n_units} {units.name} are too few to speak of others"
    elif np.isnan(without).any():
        reason = f"every episode holds every one of the {units.name}" if _all_held(units) else _too_few(units)
    elif half_query is not None and (np.ptp(without) == 0) and not 0 < mean < 1:
        reason = f"all answers are {'right' if mean == 1 else 'wrong'}: the spread over {units.name} cannot be seen"
    if reason:
        return Interval.unknown(mean, population, level, reason)
    plain = float(np.sqrt(_jackknife(without)))
    if half_query is None:
        return _around(mean, plain, units.n_units - 1, population, level)
    error = float(np.sqrt(_jackknife(_logit(without, half_query))))
    middle = float(_logit(np.array([mean]), half_query)[0])
    low, high = (1 / (1 + np.exp(-(middle + side * _quantile(units.n_units - 1, level) * error))) for side in (-1, 1))
    return Interval(mean, float(low), float(high), population, level, plain)


def draw_interval(draws: Floats, by_image: Floats, labels: Ints, level: float = 0.95) -> Interval:
    """For R supports drawn and the same test images answered each time, `draws` [R] the accuracy after each, `by_image`
    [n] how often each image was answered right, with labels [n]: the mean, and
    SE^2 = var(draws)/R + sum_c (n_c/n)^2 s_c^2/n_c, s_c^2 the variance of `by_image` over the images of class c (with
    equal n_c the factor is 1/C^2). It speaks of *new supports and new images of these classes*; degrees of freedom by
    Satterthwaite (1946). Both parts hold what depends on draw and image together, so the interval errs on the wide
    side (98 to 99 % covered in a simulation where that is most of the luck). An image may be missing from some draws,
    as those of its own support. A class with one image adds no variance of its own and is refused."""
    mean = float(draws.mean())
    if len(draws) < 2:
        return Interval.unknown(mean, NEW_DRAWS, level, "one support was drawn; at least 2 are needed")
    _, code, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        return Interval.unknown(mean, NEW_DRAWS, level, "a class has one test image; at least 2 are needed")
    centred = by_image - (np.bincount(code, by_image) / counts)[code]
    spread = np.bincount(code, centred**2) / (counts - 1)
    parts = np.append((counts / len(labels)) ** 2 * spread / counts, draws.var(ddof=1) / len(draws))
    freedom = np.append(counts - 1, len(draws) - 1)
    variance = float(parts.sum())
    if variance == 0:
        return Interval.unknown(mean, NEW_DRAWS, level, "all draws answer all images alike")
    return _around(mean, variance**0.5, variance**2 / float((parts**2 / freedom).sum()), NEW_DRAWS, level)


def median_range(draws: Floats) -> tuple[float, float, float, float]:
    """The median of R draws of a support, the lowest, the highest, and the probability 1 - 2^(1-R) with which the range
    of R independent draws covers the median of all draws (R = 5: 93.75 %), whatever their distribution. It speaks of
    *other supports* from the same images. A ValueError for no draws."""
    if not len(draws):
        raise ValueError("a median needs at least one draw, got none")
    return float(np.median(draws)), float(draws.min()), float(draws.max()), 1 - 2.0 ** (1 - len(draws))


def delete_one(values: Floats, units: Units) -> Floats:
    """[C] the mean over the episodes that do not hold unit c, each number of ways weighing as in the whole; NaN where
    no episode of some number of ways is left."""
    without, kinds = np.zeros(units.n_units), np.unique(units.n_way)
    removed, n_removed = (np.zeros(len(kinds) * units.n_units, kind) for kind in (np.float64, np.int64))
    for episode, unit in units.pairs():
        place = np.searchsorted(kinds, units.n_way[episode]) * units.n_units + unit
        np.add.at(removed, place, values[episode])  # in order, so where they are parted changes no bit
        n_removed += np.bincount(place, minlength=len(n_removed))
    by_kind = zip(kinds, removed.reshape(-1, units.n_units), n_removed.reshape(-1, units.n_units), strict=True)
    for n_way, total, count in by_kind:
        member = units.n_way == n_way
        left = member.sum() - count
        with np.errstate(invalid="ignore", divide="ignore"):
            without += member.mean() * np.where(left > 0, (values[member].sum() - total) / left, np.nan)
    return without


def pseudo_values(values: Floats, units: Units) -> Floats:
    """[C] C T - (C-1) T_-c: about what each class adds to the mean, for tests over classes."""
    return float(units.n_units * values.mean()) - (units.n_units - 1) * delete_one(values, units)


def _monte_carlo_part(values: Floats, units: Units) -> float:
    """The part of V that comes from the finite number of episodes, (C-1) N / (C-N) s^2 / E: in expectation."""
    held, c = sum(len(unit) for _, unit in units.pairs()) / len(values), units.n_units
    if len(values) < 2 or held >= c:
        return 0.0
    return (c - 1) * held / (c - held) * float(values.var(ddof=1)) / len(values)


def _jackknife(without: Floats) -> float:
    return float((len(without) - 1) * without.var())


def _logit(p: Floats, half_query: float) -> Floats:
    clamped = np.clip(p, half_query, 1 - half_query)
    return np.asarray(np.log(clamped) - np.log1p(-clamped))


def _all_held(units: Units) -> bool:
    return bool((units.n_way >= units.n_units).all())


def _too_few(units: Units) -> str:
    return f"some of the {units.n_units} {units.name} are in every episode of their number of ways; draw more episodes"


def _quantile(freedom: float, level: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + level / 2, freedom))


def _around(
    mean: float, error: float, freedom: float, population: str, level: float, monte_carlo: float = float("nan")
) -> Interval:
    half = _quantile(freedom, level) * error
    return Interval(mean, mean - half, mean + half, population, level, error, monte_carlo)
