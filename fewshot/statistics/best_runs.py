"""Which of R runs may be the best? All paired comparisons on the same E episodes, and the group that holds the best.

The group is a confidence set for the best run (multiple comparisons with the best: Hsu 1984, Ann. Statist. 12; Edwards
and Hsu 1983, JASA 78). A run leaves it if some other run beats it: p, two-sided, times the R - 1 comparisons of this
run with all others, is below 1 - level. The truly best run leaves it only if one of R - 1 true hypotheses ("the other
is not better") is rejected, so by Bonferroni the group holds the best with at least `level`, for any dependence between
the runs. The other runs need no further correction, because their exclusion is no error. Nothing is assumed about the
run with the highest mean: it was selected by its luck too, so the group is not built around it. Two-sided tests cost
half of the error, and agree with the intervals that are shown: with two runs, the group is one run exactly if the
interval of their difference excludes 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.statistics.intervals import FEWEST_POOLS, Floats, Ints, Units, delete_one, no_bounds, noise_factor
from fewshot.statistics.skewed import SkewedT
from fewshot.statistics.students_t import quantiles, two_sided


@dataclass(frozen=True, eq=False)
class PairTests:
    """Every run minus every other on the same episodes, [R, R]: mean differences and two-sided p-values."""

    means: Floats
    p_images: Floats  # of "no difference for these images"; NaN with one episode
    p_classes: Floats  # of "no difference for new classes"; NaN if there is no interval for new classes

    def replace(self, runs: NDArray[np.int64], others: PairTests, where: NDArray[np.bool_]) -> None:
        """Takes the tests of `others` among these runs, where the mask is True."""
        block = np.ix_(runs, runs)
        for name in ("means", "p_images", "p_classes"):
            values = getattr(self, name)
            values[block] = np.where(where, getattr(others, name), values[block])


def pair_tests(runs: Sequence[Floats], units: Units) -> PairTests:
    """The tests of all pairs of runs from their accuracies [E]; those of `compare`, all at once. Two runs of different
    lengths are compared on the episodes that both have. `units`: of the longest run."""
    counts = np.array([len(values) for values in runs])
    tests = PairTests(*(np.full((len(runs), len(runs)), np.nan) for _ in range(3)))
    for count in np.unique(counts).tolist():
        longer = np.flatnonzero(counts >= count)
        here = np.minimum.outer(counts[longer], counts[longer]) == count
        paired = _equally_long(np.stack([runs[run][:count] for run in longer.tolist()]), units.first(count))
        tests.replace(longer, paired, here)
    return tests


def _equally_long(accuracy: Floats, units: Units) -> PairTests:
    n_runs, n_episodes = accuracy.shape
    tests = PairTests(*(np.full((n_runs, n_runs), np.nan) for _ in range(3)))
    without = np.stack([delete_one(values, units) for values in accuracy])  # [R, C]
    reason = no_bounds(0.5, without[0], units, None)
    factor = 0.0 if reason else noise_factor(units)
    for run, values in enumerate(accuracy):
        differences = values - accuracy  # [R, E]
        means = tests.means[run] = differences.mean(1)
        noise = differences.var(1, ddof=1) / n_episodes if n_episodes > 1 else np.zeros(n_runs)
        tests.p_images[run] = _episode_p(means, noise, n_episodes)
        if not reason:
            tests.p_classes[run] = _class_p(means, without[run] - without, factor, noise)
    return tests


def pool_tests(runs: Sequence[Floats], pools: Ints) -> Floats:
    """[R, R] the two-sided p-values of "no difference for new images of these classes", from the means of the disjoint
    pools of images that two runs share; NaN with fewer than 5. `pools` [E]: of the longest run."""
    p_values = np.full((len(runs), len(runs)), np.nan)
    for a, first in enumerate(runs):
        for b, second in enumerate(runs):
            count = min(len(first), len(second))
            names, code = np.unique(pools[:count], return_inverse=True)
            if len(names) >= FEWEST_POOLS:
                means = np.bincount(code, first[:count] - second[:count]) / np.bincount(code)
                noise = np.atleast_1d(means.var(ddof=1) / len(names))
                p_values[a, b] = _episode_p(np.atleast_1d(means.mean()), noise, len(names))[0]
    return p_values


def may_be_best(means: Floats, p_values: Floats) -> Floats:
    """[R] the adjusted p-value of "this run is the best": the smallest p of its tests against better runs, times R - 1.

    At most 1. The group is where it is at least 1 - level. A NaN is no test.
    """
    beaten = np.where((means < 0) & np.isfinite(p_values), p_values, 1.0)
    np.fill_diagonal(beaten, 1.0)
    return np.asarray(np.minimum(1.0, beaten.min(1, initial=1.0) * max(1, len(means) - 1)))


def _episode_p(means: Floats, noise: Floats, n_episodes: int) -> Floats:
    if n_episodes < 2:
        return np.full(len(means), np.nan)
    varies = noise > 0
    p = two_sided(means / np.sqrt(np.where(varies, noise, 1.0)), n_episodes - 1)
    return np.asarray(np.where(varies, p, np.where(means == 0, 1.0, 0.0)))


def _class_p(means: Floats, without: Floats, factor: float, noise: Floats) -> Floats:
    """[R] from the differences without each class [R, C], and the episode noise, which the jackknife counts `factor`
    times."""
    n_units = without.shape[1]
    spread = (n_units - 1) * without.var(1)
    variance = np.minimum(spread, np.maximum(spread - factor * noise, 0.0) + noise) if factor else spread
    return SkewedT.of(n_units * means[:, None] - (n_units - 1) * without, variance).p_value(means)


def unpaired_tests(
    accuracy: Floats, half_widths: Floats, freedom: Floats, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Mean differences and two-sided p-values [R, R] from the accuracies [R] and half of their intervals at `level`.

    They hold for runs on different episodes. Runs on the same episodes mostly correlate, which makes these p-values too
    large rather than too small. NaN where an interval is missing.
    """
    means, p_values = accuracy[:, None] - accuracy, np.ones((len(accuracy), len(accuracy)))
    np.fill_diagonal(p_values, np.where(np.isnan(half_widths), np.nan, 1.0))
    if len(accuracy) < 2:
        return means, p_values
    errors = half_widths / quantiles(0.5 + level / 2, freedom)
    a, b = np.triu_indices(len(accuracy), 1)  # each pair once: the probabilities of t take nearly all of the time
    lead, spread = means[a, b], np.sqrt(errors[a] ** 2 + errors[b] ** 2)
    varies = spread > 0
    p = two_sided(lead / np.where(varies, spread, 1.0), np.minimum(freedom[a], freedom[b]))
    p_values[a, b] = np.where(np.isnan(spread), np.nan, np.where(varies, p, np.where(lead == 0, 1.0, 0.0)))
    p_values[b, a] = p_values[a, b]
    return means, p_values


def rank_sets(runs: Mapping[str, Floats], units: Units, level: float = 0.95) -> dict[str, tuple[int, int]]:
    """The range of ranks of each of m runs, [1 + runs surely better, m - runs surely worse].

    The ranks come from simultaneous (Bonferroni) paired tests for new classes, or for these images if there are none
    for new classes or too few classes. Two runs of different lengths are compared on the episodes that both have.
    """
    names, tests = list(runs), pair_tests(list(runs.values()), units)
    of_classes = np.isfinite(tests.p_classes) & (not units.too_few)
    p_values = np.where(of_classes, tests.p_classes, tests.p_images)
    sure = p_values < (1 - level) / max(1, len(names) * (len(names) - 1) // 2)
    better, worse = ((sure & side).sum(1).tolist() for side in (tests.means < 0, tests.means > 0))
    return {name: (1 + better[run], len(names) - worse[run]) for run, name in enumerate(names)}
