"""Is the difference real? Two runs on the same episodes, compared pair by pair; several at once. numpy and scipy only.

d_e = a_e - b_e is the difference on episode e; E episodes, C units (classes, or groups of them), T the mean of d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, product
from math import ceil

import numpy as np

from fewshot.statistics.intervals import Floats, Interval, Units, class_interval, episode_interval, pseudo_values

POWER = 0.8
_FLIPPED_EXACTLY = 12  # units up to which all 2^C sign patterns are counted
_FLIPS = 9999


@dataclass(frozen=True)
class Comparison:
    """A minus B on the same episodes. Accuracies are fractions."""

    these_images: Interval
    new_classes: Interval
    correlation: float  # of a_e and b_e, NaN where one of them does not vary
    unpaired_width: float  # of the interval that two independent samples of episodes would have
    p_t: float  # of the class-level t test, NaN where there is no interval over classes
    p_signs: float  # of the class-level sign-flip test
    detectable_episodes: float  # with 80 % power: the least difference that these episodes can show, for these images
    detectable_classes: float  # the same for new classes, NaN where there is no interval over classes

    @property
    def width_ratio(self) -> float:
        """How many times wider the interval would be without pairing."""
        paired = self.these_images.high - self.these_images.low
        return self.unpaired_width / paired if paired > 0 else float("nan")

    def turned(self) -> Comparison:
        """B minus A."""
        return replace(self, these_images=_turned(self.these_images), new_classes=_turned(self.new_classes))


@dataclass(frozen=True)
class Needed:
    """What would show a difference of `delta` with 80 % power."""

    delta: float
    episodes: int  # for these images
    classes: int | None  # for new classes; None where that cannot be said
    sentence: str
    class_episodes: int | None = None  # for new classes, on the classes that there are; None where no number suffices


def compare(a: Floats, b: Floats, units: Units, level: float = 0.95) -> Comparison:
    """The paired comparison of two runs, a and b [E] on the same episodes in the same order."""
    if a.shape != b.shape or len(a) < 2:
        raise ValueError(f"a paired comparison needs the same episodes twice, at least 2; got {len(a)} and {len(b)}")
    d = a - b
    images, classes = episode_interval(d, level), class_interval(d, units, level)
    varies = a.std() > 0 and b.std() > 0
    separate = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a)))
    p_t, p_signs = class_level_tests(d, units) if not classes.reason else (float("nan"), float("nan"))
    return Comparison(
        these_images=images,
        new_classes=classes,
        correlation=float(np.corrcoef(a, b)[0, 1]) if varies else float("nan"),
        unpaired_width=2 * _t(0.5 + level / 2, 2 * len(a) - 2) * separate,
        p_t=p_t,
        p_signs=p_signs,
        detectable_episodes=_detectable(images.standard_error, len(d) - 1, level),
        detectable_classes=_detectable(classes.standard_error, units.n_units - 1, level),
    )


def class_level_tests(d: Floats, units: Units) -> tuple[float, float]:
    """Two-sided p-values that the mean over new classes is zero, from the class pseudo-values p_c = C T - (C-1) T_-c:
    Student's t, and sign flips (all of them up to 12 units, 9999 fixed ones beyond)."""
    from scipy.stats import ttest_1samp

    p = pseudo_values(d, units)
    if np.ptp(p) == 0:
        return (1.0, 1.0) if p[0] == 0 else (0.0, float(0.5 ** (len(p) - 1)))
    flips = _signs(len(p))
    as_far = np.abs(flips @ p) >= np.abs(p.sum()) * (1 - 1e-12)
    exact = len(p) <= _FLIPPED_EXACTLY
    return float(ttest_1samp(p, 0.0).pvalue), float(as_far.mean() if exact else (1 + as_far.sum()) / (1 + len(flips)))


def needed(d: Floats, units: Units, delta: float, level: float = 0.95) -> Needed:
    """How many episodes, and how many classes, would show a difference of `delta` with 80 % power; or the sentence that
    no number of episodes can."""
    if not 0 < delta <= 1:
        raise ValueError(f"delta is the difference to show, a fraction above 0 and up to 1; got {delta!r}")
    z = _t(0.5 + level / 2, np.inf) + _t(POWER, np.inf)
    episodes = max(2, ceil(float((z * d.std(ddof=1) / delta) ** 2)))
    found = class_interval(d, units, level)
    if found.reason:
        return Needed(delta, episodes, None, f"{episodes} episodes for these images; {found.reason}")
    at_best = found.standard_error * (1 - found.monte_carlo) ** 0.5  # with endless episodes
    factor = _t(0.5 + level / 2, units.n_units - 1) + _t(POWER, units.n_units - 1)
    classes = max(3, ceil(units.n_units * (factor * at_best / delta) ** 2))
    if factor * at_best > delta:
        cannot = f"no number of episodes on these {units.n_units} {units.name} can show it for new {units.name}"
        return Needed(delta, episodes, classes, f"{cannot}; about {classes} {units.name} could")
    spare = (delta / factor) ** 2 - at_best**2  # the variance that the number of episodes may add
    drawn = found.standard_error**2 * found.monte_carlo
    on_these = max(2, ceil(len(d) * drawn / spare)) if spare > 0 else None
    enough = f"{on_these or 'endlessly many'} for new {units.name}, on these {units.n_units}"
    return Needed(delta, episodes, classes, f"{episodes} episodes for these images, {enough}", on_these)


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values of all tests shown together (Holm 1979), in the given order."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, p_values[order] * np.arange(len(p_values), 0, -1)))
    return np.asarray(stepped[np.argsort(order)], dtype=np.float64)


def rank_sets(runs: Mapping[str, Floats], units: Units, level: float = 0.95) -> dict[str, tuple[int, int]]:
    """The ranks that each of m runs may have, [1 + surely better ones, m - surely worse ones], from simultaneous
    (Bonferroni) paired intervals over new classes, or over these images where there are none over classes. Runs of
    different lengths are compared on the episodes that both have."""
    names = list(runs)
    pairs = len(names) * (len(names) - 1) // 2
    simultaneous = 1 - (1 - level) / max(1, pairs)
    better = dict.fromkeys(names, 0)
    worse = dict.fromkeys(names, 0)
    for one, other in combinations(names, 2):
        count = min(len(runs[one]), len(runs[other]))
        d = runs[one][:count] - runs[other][:count]
        found = class_interval(d, units.first(count), simultaneous)
        if found.reason:
            found = episode_interval(d, simultaneous)
        if found.low > 0 or found.high < 0:
            winner, loser = (one, other) if found.low > 0 else (other, one)
            better[loser] += 1
            worse[winner] += 1
    return {name: (1 + better[name], len(names) - worse[name]) for name in names}


def tied_ranks(runs: Mapping[str, Floats]) -> dict[str, float]:
    """The ranks of Meta-Dataset (Triantafillou et al. 2020, arXiv 1903.03096): the best mean first, tied with every run
    whose mean is within 1.96 sqrt(s1^2/n1 + s2^2/n2) of it, unpaired; tied runs share the mean of their ranks, and the
    rest are ranked behind them in the same way. A single episode counts as without spread."""
    left = sorted(runs, key=lambda name: -float(runs[name].mean()))
    ranks: dict[str, float] = {}
    while left:
        best = runs[left[0]]
        tied = [left[0], *(name for name in left[1:] if _tied(best, runs[name]))]
        ranks |= dict.fromkeys(tied, len(ranks) + (len(tied) + 1) / 2)
        left = [name for name in left if name not in tied]
    return ranks


def _tied(best: Floats, other: Floats) -> bool:
    error = np.sqrt(sum(values.var(ddof=1) / len(values) for values in (best, other) if len(values) > 1))
    return bool(best.mean() - other.mean() <= 1.96 * error)


def over_sets(differences: Floats, errors: Floats, level: float = 0.95) -> tuple[Interval, Interval]:
    """The mean difference over D data sets: for these sets (SE^2 = sum SE_d^2 / D^2, errors by class where there are
    any), and for new sets (t(D-1) over the differences; two sets are needed)."""
    n = len(differences)
    mean, error = float(differences.mean()), float(np.sqrt((errors**2).sum()) / n)
    half = _t(0.5 + level / 2, np.inf) * error
    these = Interval(mean, mean - half, mean + half, "these data sets", level, error)
    if n < 2:
        return these, Interval.unknown(mean, "new data sets", level, "one data set has no spread")
    spread = float(differences.std(ddof=1) / np.sqrt(n))
    half = _t(0.5 + level / 2, n - 1) * spread
    return these, Interval(mean, mean - half, mean + half, "new data sets", level, spread)


@lru_cache(maxsize=1)  # the pairs of a contest have the same units
def _signs(n_units: int) -> Floats:
    """Rows of +-1: every pattern where they are few, else a fixed sample."""
    if n_units <= _FLIPPED_EXACTLY:
        return np.array(list(product((-1.0, 1.0), repeat=n_units)))
    return np.asarray(2.0 * np.random.default_rng(0).integers(0, 2, (_FLIPS, n_units)) - 1, dtype=np.float64)


def _turned(interval: Interval) -> Interval:
    return replace(interval, mean=-interval.mean, low=-interval.high, high=-interval.low)


def _detectable(error: float, freedom: float, level: float) -> float:
    return (_t(0.5 + level / 2, freedom) + _t(POWER, freedom)) * error


def _t(probability: float, freedom: float) -> float:
    from scipy.stats import norm, t

    return float(norm.ppf(probability) if np.isinf(freedom) else t.ppf(probability, freedom))
