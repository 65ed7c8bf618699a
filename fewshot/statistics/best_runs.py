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

from fewshot.statistics.class_intervals import no_bounds
from fewshot.statistics.delete_one import delete_one, noise_factor
from fewshot.statistics.interval import Floats, Ints
from fewshot.statistics.intervals import FEWEST_POOLS
from fewshot.statistics.skewed import SkewedT
from fewshot.statistics.students_t import quantiles, two_sided
from fewshot.statistics.units import Units

MOST_PAIRED = 1000  # runs that are all tested against each other
N_RIVALS = 500  # of more runs: those that each is tested against


def rivals_of(accuracies: Floats, n_episodes: Ints) -> Ints:
    """The places of the runs that every run is tested against, ascending: all, or of more than 1000 runs the best 500,
    half by their accuracy alone and half among the runs with the most episodes.

    A million pairs take seconds; 20 000 runs have 400 million. A run leaves the group of the best if any better run
    beats it, and the best runs are the first to do so, so fewer tests can only leave more runs in the group.
    """
    if len(accuracies) <= MOST_PAIRED:
        return np.arange(len(accuracies))
    by_accuracy = np.argsort(-accuracies, kind="stable")
    by_episodes = by_accuracy[np.argsort(-n_episodes[by_accuracy], kind="stable")]
    chosen = dict.fromkeys(run for pair in zip(by_accuracy.tolist(), by_episodes.tolist(), strict=True) for run in pair)
    return np.sort(np.array(list(chosen)[:N_RIVALS], dtype=np.int64))


@dataclass(frozen=True, eq=False)
class PairTests:
    """R runs minus A rivals on the same episodes, [R, A]: mean differences and two-sided p-values."""

    means: Floats
    p_images: Floats  # of "no difference for these images"; NaN with one episode
    p_classes: Floats  # of "no difference for new classes"; NaN if there is no interval for new classes

    @staticmethod
    def none(n_runs: int, n_rivals: int) -> PairTests:
        """No test at all."""
        return PairTests(*(np.full((n_runs, n_rivals), np.nan) for _ in range(3)))

    def replace(self, runs: Ints, rivals: Ints, others: PairTests, where: NDArray[np.bool_]) -> None:
        """Takes the tests of `others` between these runs and rivals, by their places, where the mask is True."""
        block = np.ix_(runs, rivals)
        for name in ("means", "p_images", "p_classes"):
            values = getattr(self, name)
            values[block] = np.where(where, getattr(others, name), values[block])


def pair_tests(runs: Sequence[Floats], units: Units, rivals: Ints | None = None) -> PairTests:
    """The tests of every run against the rivals (None: all runs) from their accuracies [E]; those of `compare`, all at
    once. Two runs of different lengths are compared on the episodes that both have. `units`: of the longest run."""
    counts = np.array([len(values) for values in runs])
    columns = np.arange(len(runs)) if rivals is None else rivals
    tests = PairTests.none(len(runs), len(columns))
    for count in np.unique(counts).tolist():
        longer, places = np.flatnonzero(counts >= count), np.flatnonzero(counts[columns] >= count)
        here = np.minimum.outer(counts[longer], counts[columns[places]]) == count
        accuracy = np.stack([runs[run][:count] for run in longer.tolist()])
        paired = _equally_long(accuracy, units.first(count), np.searchsorted(longer, columns[places]))
        tests.replace(longer, places, paired, here)
    return tests


def _equally_long(accuracy: Floats, units: Units, rivals: Ints) -> PairTests:
    n_runs, n_episodes = accuracy.shape
    tests = PairTests.none(n_runs, len(rivals))
    without = np.stack([delete_one(values, units) for values in accuracy])  # [R, C]
    against, against_without = accuracy[rivals], without[rivals]
    reason = no_bounds(0.5, without[0], units, None)
    factor = 0.0 if reason else noise_factor(units)
    for run, values in enumerate(accuracy):
        differences = values - against  # [A, E]
        means = tests.means[run] = differences.mean(1)
        noise = differences.var(1, ddof=1) / n_episodes if n_episodes > 1 else np.zeros(len(rivals))
        tests.p_images[run] = _episode_p(means, noise, n_episodes)
        if not reason:
            tests.p_classes[run] = _class_p(means, without[run] - against_without, factor, noise)
    return tests


def pool_tests(runs: Sequence[Floats], pools: Ints, rivals: Ints | None = None) -> Floats:
    """[R, A] the two-sided p-values of "no difference for new images of these classes", from the means of the disjoint
    pools of images that a run and a rival share; NaN with fewer than 5. `pools` [E]: of the longest run."""
    counts = np.array([len(values) for values in runs])
    columns = np.arange(len(runs)) if rivals is None else rivals
    p_values = np.full((len(runs), len(columns)), np.nan)
    for count in np.unique(counts).tolist():
        names, code, sizes = np.unique(pools[:count], return_inverse=True, return_counts=True)
        if len(names) < FEWEST_POOLS:
            continue
        longer, places = np.flatnonzero(counts >= count), np.flatnonzero(counts[columns] >= count)
        means = np.stack([np.bincount(code, runs[run][:count]) / sizes for run in longer.tolist()])  # [R, G]
        against = means[np.searchsorted(longer, columns[places])]
        for row, run in zip(means, longer.tolist(), strict=True):
            differences = row - against  # [A, G]
            noise = differences.var(1, ddof=1) / len(names)
            here = np.minimum(counts[run], counts[columns[places]]) == count
            p_values[run, places[here]] = _episode_p(differences.mean(1), noise, len(names))[here]
    return p_values


def may_be_best(means: Floats, p_values: Floats) -> Floats:
    """[R] the adjusted p-value of "this run is the best": the smallest p of its tests against better rivals [R, A],
    times R - 1.

    At most 1. The group is where it is at least 1 - level. A NaN is no test.
    """
    beaten = np.where((means < 0) & np.isfinite(p_values), p_values, 1.0)
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
    accuracy: Floats, half_widths: Floats, freedom: Floats, level: float = 0.95, rivals: Ints | None = None
) -> tuple[Floats, Floats]:
    """Mean differences and two-sided p-values [R, A] against the rivals (None: all runs) from the accuracies [R] and
    half of their intervals at `level`.

    They hold for runs on different episodes. Runs on the same episodes mostly correlate, which makes these p-values too
    large rather than too small. NaN where an interval is missing.
    """
    if (n := len(accuracy)) < 2:
        return np.zeros((n, n)), np.where(np.isnan(half_widths), np.nan, 1.0).reshape(n, n)
    errors = half_widths / quantiles(0.5 + level / 2, freedom)
    columns = np.arange(len(accuracy)) if rivals is None else rivals
    means, p_values = accuracy[:, None] - accuracy[columns], np.full((len(accuracy), len(columns)), np.nan)
    for run, lead in enumerate(means):
        spread = np.sqrt(errors[run] ** 2 + errors[columns] ** 2)
        p_values[run] = _unpaired_p(lead, spread, np.minimum(freedom[run], freedom[columns]))
    itself = columns == np.arange(len(accuracy))[:, None]
    return means, np.where(itself, np.where(np.isnan(errors), np.nan, 1.0)[:, None], p_values)


def _unpaired_p(lead: Floats, spread: Floats, freedom: Floats) -> Floats:
    varies = spread > 0
    p = two_sided(lead / np.where(varies, spread, 1.0), freedom)
    return np.asarray(np.where(np.isnan(spread), np.nan, np.where(varies, p, np.where(lead == 0, 1.0, 0.0))))


def rank_sets(runs: Mapping[str, Floats], units: Units, level: float = 0.95) -> dict[str, tuple[int, int]]:
    """The range of ranks of each of m runs, [1 + runs surely better, m - runs surely worse].

    The ranks come from simultaneous (Bonferroni) paired tests for new classes, or for these images if there are none
    for new classes or too few classes. Two runs of different lengths are compared on the episodes that both have.
    Empty for more than 1000 runs, whose pairs are too many.
    """
    if len(runs) > MOST_PAIRED:
        return {}
    names, tests = list(runs), pair_tests(list(runs.values()), units)
    of_classes = np.isfinite(tests.p_classes) & (not units.too_few)
    p_values = np.where(of_classes, tests.p_classes, tests.p_images)
    sure = p_values < (1 - level) / max(1, len(names) * (len(names) - 1) // 2)
    better, worse = ((sure & side).sum(1).tolist() for side in (tests.means < 0, tests.means > 0))
    return {name: (1 + better[run], len(names) - worse[run]) for run, name in enumerate(names)}
