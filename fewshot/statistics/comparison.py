"""Is the difference between two runs real? Paired comparisons on the same episodes, and rankings of several runs.

d_e = a_e - b_e is the difference on episode e; E episodes, C units (classes, or groups of classes), T the mean of d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from fewshot.statistics.class_intervals import class_interval, class_test
from fewshot.statistics.interval import DIFFERENCE, Floats, Interval
from fewshot.statistics.intervals import episode_interval
from fewshot.statistics.students_t import quantile, two_sided
from fewshot.statistics.units import Units

POWER = 0.8


@dataclass(frozen=True)
class Comparison:
    """A minus B on the same episodes, accuracies as fractions."""

    these_images: Interval
    new_classes: Interval
    correlation: float  # of a_e and b_e; NaN if one of them is constant
    unpaired_width: float  # width of the interval from two independent samples of episodes
    p_images: float  # p-value of "no difference for these images"
    p_classes: float  # the same for new classes; NaN without an interval for new classes
    detectable_episodes: float  # smallest difference that these episodes detect with 80 % power, for these images
    detectable_classes: float  # the same for new classes; NaN without an interval. Both are NaN without any spread

    @property
    def width_ratio(self) -> float:
        """How many times wider the interval is without pairing."""
        paired = self.these_images.high - self.these_images.low
        return self.unpaired_width / paired if paired > 0 else float("nan")

    def turned(self) -> Comparison:
        """B minus A."""
        return replace(self, these_images=_turned(self.these_images), new_classes=_turned(self.new_classes))


@dataclass(frozen=True)
class Needed:
    """The episodes and classes that detect a difference of `delta` with 80 % power."""

    delta: float
    episodes: int | None  # for these images; None if the difference is the same in every episode
    classes: int | None  # for new classes; None if it cannot be estimated
    sentence: str
    class_episodes: int | None = None  # for new classes, on the present classes; None if no number is enough


def compare(a: Floats, b: Floats, units: Units, level: float = 0.95) -> Comparison:
    """The paired comparison of two runs with accuracies a and b [E] on the same episodes in the same order."""
    if a.shape != b.shape or len(a) < 2:
        raise ValueError(
            f"a paired comparison needs the same 2 or more episodes of both runs, got {len(a):,} and {len(b):,}"
        )
    d = a - b
    of_classes, p_classes = class_test(d, units, level)
    images, classes = (interval.inside(DIFFERENCE) for interval in (episode_interval(d, level), of_classes))
    varies = a.std() > 0 and b.std() > 0
    separate = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a)))
    return Comparison(
        these_images=images,
        new_classes=classes,
        correlation=float(np.corrcoef(a, b)[0, 1]) if varies else float("nan"),
        unpaired_width=2 * quantile(0.5 + level / 2, 2 * len(a) - 2) * separate,
        p_images=_p_value(images.mean, images.standard_error, len(d) - 1),
        p_classes=p_classes,
        detectable_episodes=_detectable(images.standard_error, len(d) - 1, level),
        detectable_classes=_detectable(classes.standard_error, units.n_units - 1, level),
    )


def needed(d: Floats, units: Units, delta: float, level: float = 0.95) -> Needed:
    """The numbers of episodes and of classes that detect a difference of `delta` with 80 % power, and a sentence about
    them; the sentence says so if no number of episodes is enough for new classes."""
    if not 0 < delta <= 1:
        raise ValueError(f"delta, the difference to detect, must be a fraction in (0, 1]; got {delta!r}")
    if np.ptp(d) == 0:
        same = f"there is no difference in any of the {len(d):,} episodes"
        same = same if d[0] == 0 else f"the difference is the same in all {len(d):,} episodes"
        return Needed(delta, None, None, f"not known, because {same}")
    z = quantile(0.5 + level / 2, np.inf) + quantile(POWER, np.inf)
    episodes = max(2, ceil(float((z * d.std(ddof=1) / delta) ** 2)))
    interval = class_interval(d, units, level)
    if interval.reason:
        return Needed(delta, episodes, None, f"{episodes:,} episodes for these images; {interval.reason}")
    at_best = interval.standard_error * (1 - interval.monte_carlo) ** 0.5  # with endless episodes
    factor = quantile(0.5 + level / 2, units.n_units - 1) + quantile(POWER, units.n_units - 1)
    classes = max(3, ceil(units.n_units * (factor * at_best / delta) ** 2))
    if factor * at_best > delta:
        sentence = (
            f"more episodes on these {units.n_units:,} {units.name} will not help; "
            f"confirming this for new {units.name} needs about {classes:,} {units.name}"
        )
        return Needed(delta, episodes, classes, sentence)
    spare = (delta / factor) ** 2 - at_best**2  # the variance that a finite number of episodes may add
    episode_noise = interval.standard_error**2 * interval.monte_carlo
    on_these = max(2, ceil(len(d) * episode_noise / spare)) if spare > 0 else None
    many = "endlessly many" if on_these is None else f"{on_these:,}"
    enough = f"{many} for new {units.name}, on these {units.n_units:,}"
    return Needed(delta, episodes, classes, f"{episodes:,} episodes for these images, {enough}", on_these)


def holm(p_values: Floats) -> Floats:
    """The p-values adjusted for all tests shown together (Holm 1979), in the given order."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, p_values[order] * np.arange(len(p_values), 0, -1)))
    return np.asarray(stepped[np.argsort(order)], dtype=np.float64)


def tied_ranks(runs: Mapping[str, Floats]) -> dict[str, float]:
    """The ranks of Meta-Dataset (Triantafillou et al. 2020, arXiv 1903.03096).

    The run with the best mean comes first, tied with every run whose mean is within 1.96 sqrt(s1^2/n1 + s2^2/n2) of
    it, unpaired. Tied runs share the mean of their ranks. The other runs follow, ranked in the same way. A single
    episode has no spread.
    """
    left = sorted(runs, key=lambda name: -float(runs[name].mean()))
    ranks: dict[str, float] = {}
    while left:
        best = runs[left[0]]
        tied = [left[0], *(name for name in left[1:] if _tied(best, runs[name]))]
        ranks |= dict.fromkeys(tied, len(ranks) + (len(tied) + 1) / 2)
        left = [name for name in left if name not in ranks]
    return ranks


def _tied(best: Floats, other: Floats) -> bool:
    error = np.sqrt(sum(values.var(ddof=1) / len(values) for values in (best, other) if len(values) > 1))
    return bool(best.mean() - other.mean() <= 1.96 * error)


def over_sets(differences: Floats, errors: Floats, level: float = 0.95) -> tuple[Interval, Interval]:
    """The mean difference over D data sets, with two intervals: for these sets (SE^2 = sum SE_d^2 / D^2, `errors` at
    the class level if there are any), and for new sets (t(D-1) over the differences; needs 2 sets)."""
    n = len(differences)
    mean, error = float(differences.mean()), float(np.sqrt((errors**2).sum()) / n)
    half = quantile(0.5 + level / 2, np.inf) * error
    these = Interval(mean, mean - half, mean + half, "these data sets", level, error).inside(DIFFERENCE)
    if n < 2:
        return these, Interval.unknown(mean, "new data sets", level, "one data set has no spread")
    spread = float(differences.std(ddof=1) / np.sqrt(n))
    half = quantile(0.5 + level / 2, n - 1) * spread
    return these, Interval(mean, mean - half, mean + half, "new data sets", level, spread).inside(DIFFERENCE)


def _turned(interval: Interval) -> Interval:
    return replace(interval, mean=-interval.mean, low=-interval.high, high=-interval.low)


def _detectable(error: float, freedom: float, level: float) -> float:
    """The difference that a test with this standard error detects; NaN without any spread, which no number follows
    from."""
    return (quantile(0.5 + level / 2, freedom) + quantile(POWER, freedom)) * error if error > 0 else float("nan")


def _p_value(mean: float, error: float, freedom: float) -> float:
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(two_sided(mean / error, freedom))
