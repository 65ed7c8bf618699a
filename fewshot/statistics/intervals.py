"""How far you can trust a number: means with intervals, each for a named population.

E episodes, N ways, C units (the classes that episodes sample from, or groups of classes), T the mean over episodes.
The design decides which intervals exist; an interval without bounds gives the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.statistics.skewed import SkewedT
from fewshot.statistics.students_t import quantile

Floats = NDArray[np.float64]
Limits = tuple[float | None, float | None]  # lowest and highest value of a quantity; None: no limit
Ints = NDArray[np.int64]
Integers = NDArray[np.integer]  # of the smallest dtype that holds them

FRACTION: Limits = (0.0, 1.0)
DIFFERENCE: Limits = (-1.0, 1.0)  # of two fractions
THESE_IMAGES = "these images"
NEW_IMAGES = "new images of these classes"
NEW_DRAWS = "new supports and new images of these classes"
DEPENDENT_DRAWS = "the draws depend on each other"  # why there is no interval, as rows store it
FEWEST_POOLS = 5
FEWEST_UNITS = 3  # for an interval for new ones
ENOUGH_CLASSES = 20  # to rank runs for new classes; below, half an interval for them is 6 to 30 points (coverage.py)
_AT_ONCE = 4096  # episodes whose units are sorted together


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


@dataclass(frozen=True, eq=False)
class Units:
    """The units of every episode: its classes, or the groups of its classes (superclasses, scripts)."""

    held: Integers  # flat, episode after episode, in [0, n_units)
    n_way: Integers  # [E]
    n_units: int  # C: all units that episodes sample from, sampled or not
    name: str = "classes"

    @property
    def too_few(self) -> str:
        """Why a ranking is not for new units, as rows store reasons; "" if there are enough. Groups in place of classes
        were chosen to speak of, so they are enough."""
        return few_units(self.n_units, self.name) if self.name == "classes" and self.n_units < ENOUGH_CLASSES else ""

    @property
    def are_enough(self) -> bool:
        """Whether there is an interval for new units at all, though a ranking may need more of them."""
        return self.n_units >= FEWEST_UNITS

    @property
    def counted(self) -> str:
        """Their number, such as "12 classes"."""
        return f"{self.n_units} {self.name}"

    def pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """Blocks of (episode, unit) pairs, ascending, some episodes at a time; a unit counts once per episode."""
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
        """For each unit in turn, the episodes that hold it, ascending."""
        ends = np.cumsum(self.n_way)
        for unit in range(self.n_units):
            episode = np.searchsorted(ends, np.flatnonzero(self.held == unit), side="right")
            yield episode[np.diff(episode, prepend=-1) > 0]

    def grouped(self, codes: Ints, n_groups: int, name: str) -> Units:
        """The same episodes, with the group `codes[c]` in place of class c."""
        return Units(codes[self.held], self.n_way, n_groups, name)

    def at(self, episodes: NDArray[np.bool_]) -> Units:
        """The units of the episodes where the mask [E] is True."""
        return replace(self, held=self.held[np.repeat(episodes, self.n_way)], n_way=self.n_way[episodes])

    def first(self, count: int) -> Units:
        """The units of the first `count` episodes."""
        n_way = self.n_way[:count]
        return Units(self.held[: n_way.sum()], n_way, self.n_units, self.name)


def episode_interval(values: Floats, level: float = 0.95) -> Interval:
    """The interval for *these images*: the mean over episodes +- t(E-1) s / sqrt(E), s with ddof 1.

    It covers other episodes of these images and classes, not new images or new classes (Lafargue et al. 2024, arXiv
    2409.02850). One episode has a mean and no interval. `inside` keeps the bounds of an accuracy within 0 and 1.
    """
    n = len(values)
    if n == 0:
        raise ValueError("a mean over episodes needs at least one episode, got none")
    mean = float(values.mean())
    if n == 1:
        return Interval.unknown(mean, THESE_IMAGES, level, "one episode has no spread")
    error = float(values.std(ddof=1) / np.sqrt(n))
    return _around(mean, error, n - 1, THESE_IMAGES, level, monte_carlo=1.0)


def pool_interval(values: Floats, pools: Ints, level: float = 0.95) -> Interval:
    """The interval for *new images of these classes*: the mean of the means T_g of G disjoint image pools
    +- t(G-1) sd(T_g) / sqrt(G).

    `pools` [E]: the pool of all images of an episode. With fewer than 5 pools there are no bounds.
    """
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
    """The interval for *new classes*, from the delete-one-class jackknife.

    T_-c is the mean over the episodes without unit c (stratified by the number of ways), and V is (C-1)/C times the
    sum over c of (T_-c - mean)^2. Deleting a class also deletes its episodes, so V counts the variance of a finite
    number of episodes (C-1) N / (C-N) times; the interval counts it once. `half_query` is half of one query's share of
    the mean: `values` are then fractions, and the interval is computed on the logit scale with the quantile of t(C-1),
    clamped by `half_query`, and mapped back. Without it, the interval is on the scale of the values, and `SkewedT`
    corrects it for their skewness and heavy tails.
    """
    if half_query is None:
        return class_test(values, units, level)[0]
    without, mean = delete_one(values, units), float(values.mean())
    reason = no_bounds(mean, without, units, half_query)
    if reason:
        return Interval.unknown(mean, f"new {units.name}", level, reason)
    counted, noise = _episode_noise(values, units)
    spread = _jackknife(without)
    variance = min(spread, max(spread - counted, 0.0) + noise)
    share = variance / spread if spread > 0 else 1.0
    interval = deleted_interval(mean, without, units, level, half_query, share)
    return replace(interval, monte_carlo=min(1.0, noise / variance) if variance > 0 else 0.0)


def class_test(values: Floats, units: Units, level: float = 0.95) -> tuple[Interval, float]:
    """The interval for new classes on the scale of the values, and its p-value of "the mean is 0"."""
    without, mean = delete_one(values, units), float(values.mean())
    population = f"new {units.name}"
    if reason := no_bounds(mean, without, units, None):
        return Interval.unknown(mean, population, level, reason), float("nan")
    (counted, noise), spread = _episode_noise(values, units), _jackknife(without)
    variance = min(spread, max(spread - counted, 0.0) + noise)
    distribution = SkewedT.of(pseudo_values(mean, without), variance)
    low, high = distribution.bounds(mean, level)
    share = min(1.0, noise / variance) if variance > 0 else 0.0
    interval = Interval(mean, float(low), float(high), population, level, variance**0.5, share)
    return interval, float(distribution.p_value(mean))


def deleted_interval(
    mean: float,
    without: Floats,
    units: Units,
    level: float = 0.95,
    half_query: float | None = None,
    share: float = 1.0,
) -> Interval:
    """The interval for *new classes* of any statistic: `mean` over all episodes, and `without` [C] over the episodes
    that do not hold unit c (NaN if too few are left). `share`: the part of the jackknife's variance that is real."""
    population, reason = f"new {units.name}", no_bounds(mean, without, units, half_query)
    if reason:
        return Interval.unknown(mean, population, level, reason)
    plain = float(np.sqrt(share * _jackknife(without)))
    if half_query is None:
        return _around(mean, plain, units.n_units - 1, population, level)
    clamp = _clamp(mean, half_query)
    error = float(np.sqrt(share * _jackknife(_logit(without, clamp))))
    middle = float(_logit(np.array([mean]), clamp)[0])
    low, high = (_fraction(middle + side * quantile(0.5 + level / 2, units.n_units - 1) * error) for side in (-1, 1))
    return Interval(mean, low, high, population, level, plain).inside(FRACTION)


def no_bounds(mean: float, without: Floats, units: Units, half_query: float | None) -> str:
    """Why there is no interval for new classes; "" if there is one. Rows store the reason."""
    if not units.are_enough:
        return few_units(units.n_units, units.name)
    if np.isnan(without).any():
        return f"every episode holds every one of the {units.name}" if _all_held(units) else _too_few(units)
    if half_query is not None and not 0 < mean < 1:
        return f"all answers are {'right' if mean == 1 else 'wrong'}: the spread over {units.name} cannot be seen"
    return ""


def few_units(n_units: int, name: str) -> str:
    """That so many units are too few, as rows store it."""
    return f"{n_units} {name} are too few to speak of others"


def draw_interval(draws: Floats, by_image: Floats, labels: Ints, level: float = 0.95) -> Interval:
    """The interval for *new draws* (new supports and new images of these classes): R supports answer the same test
    images.

    `draws` [R] is the accuracy with each support, `by_image` [n] the share of correct answers to each image, `labels`
    [n] their classes. SE^2 = var(draws)/R + sum_c (n_c/n)^2 s_c^2/n_c, with s_c^2 the variance of `by_image` over the
    images of class c (with equal n_c the factor is 1/C^2), and degrees of freedom by Satterthwaite (1946). Both parts
    contain the interaction of support and image, so the interval is rather too wide: it covered 98 to 99 % in a
    simulation where this interaction was most of the variance. An image may be missing from some draws, such as those
    with it in the support. A class with one image has no variance of its own, so there are no bounds.
    """
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
    """The median, lowest and highest accuracy of R draws of a support, and the probability that the range of R
    independent draws covers the median of all draws: 1 - 2^(1-R), for any distribution (R = 5: 93.75 %).

    The range is for *other supports* from the same images. No draws raise a ValueError.
    """
    if not len(draws):
        raise ValueError("a median needs at least one draw, got none")
    return float(np.median(draws)), float(draws.min()), float(draws.max()), 1 - 2.0 ** (1 - len(draws))


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


def _episode_noise(values: Floats, units: Units) -> tuple[float, float]:
    """The variance of the mean that is episode noise: as the jackknife counts it, and once."""
    factor = noise_factor(units)
    if len(values) < 2 or not factor:
        return 0.0, 0.0
    noise = float(values.var(ddof=1)) / len(values)
    return factor * noise, noise


def noise_factor(units: Units) -> float:
    """How many times the jackknife counts the episode noise s^2 / E: (C-1) N / (C-N); 0 if N is C, where it is not
    known."""
    held, c = sum(len(unit) for _, unit in units.pairs()) / len(units.n_way), units.n_units
    return (c - 1) * held / (c - held) if held < c else 0.0


def _jackknife(without: Floats) -> float:
    return float((len(without) - 1) * without.var())


def _clamp(mean: float, half_query: float) -> float:
    """The distance that the logit scale keeps from 0 and 1: half of one query's share, or half of the distance of the
    mean if that is less, as for a ranking measure, so that the mean itself is never clamped."""
    distance = min(mean, 1 - mean)
    return half_query if distance > 1.999 * half_query else distance / 2


def _logit(p: Floats, clamp: float) -> Floats:
    clamped = np.clip(p, clamp, 1 - clamp)
    return np.asarray(np.log(clamped) - np.log1p(-clamped))


def _fraction(logit: float) -> float:
    with np.errstate(over="ignore"):  # exp overflows to infinity, and the fraction is 0
        return float(1 / (1 + np.exp(-logit)))


def _all_held(units: Units) -> bool:
    return bool((units.n_way >= units.n_units).all())


def _too_few(units: Units) -> str:
    return f"some of the {units.n_units} {units.name} are in every episode of their number of ways; draw more episodes"


def _around(
    mean: float, error: float, freedom: float, population: str, level: float, monte_carlo: float = float("nan")
) -> Interval:
    half = quantile(0.5 + level / 2, freedom) * error
    return Interval(mean, mean - half, mean + half, population, level, error, monte_carlo)
