"""Means over data sets of paired differences: every run minus every other, [R, R], with tests of "no difference".

Two populations. For other episodes of these sets, the errors of the sets are independent, so their squares add up. For
other sets of the same kind, the D differences are the sample, with D - 1 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.statistics.interval import DIFFERENCE, Floats, Interval
from fewshot.statistics.students_t import quantile, two_sided


@dataclass(frozen=True, eq=False)
class PairedEpisodes:
    """Every run minus every other on the same episodes of one set, [R, R]: the mean and the square of its error."""

    means: Floats
    squares: Floats
    freedom: int  # degrees of freedom of the squares


@dataclass(frozen=True, eq=False)
class PairedMeans:
    """Every run minus every other over all sets, [R, R]."""

    means: Floats
    errors: Floats
    freedom: Floats

    @property
    def p_values(self) -> Floats:
        """[R, R] of "no difference", two-sided; 1 for two runs that are equal everywhere."""
        varies = self.errors > 0
        p = two_sided(self.means / np.where(varies, self.errors, 1.0), self.freedom)
        return np.asarray(np.where(varies, p, np.where(self.means == 0, 1.0, 0.0)))

    def interval(self, run: int, other: int, population: str, level: float = 0.95) -> Interval:
        """The difference of two runs with its interval."""
        mean, error = float(self.means[run, other]), float(self.errors[run, other])
        half = quantile(0.5 + level / 2, float(self.freedom[run, other])) * error
        return Interval(mean, mean - half, mean + half, population, level, error).inside(DIFFERENCE)


def paired_episodes(accuracies: Sequence[Floats | None]) -> PairedEpisodes | None:
    """The differences on the episodes that all runs solved, from their accuracies [E]; None with fewer than two
    episodes, and if those of a run are not known."""
    there = [values for values in accuracies if values is not None]
    count = min(map(len, there), default=0)
    if count < 2 or len(there) < len(accuracies):
        return None
    runs = np.stack([values[:count] for values in there])  # [R, E]
    means, squares = (np.zeros((len(runs), len(runs))) for _ in range(2))
    for run, values in enumerate(runs):
        differences = values - runs  # [R, E]
        means[run], squares[run] = differences.mean(1), differences.var(1, ddof=1) / count
    return PairedEpisodes(means, squares, count - 1)


def over_these_sets(each: Sequence[PairedEpisodes]) -> PairedMeans:
    """The mean over D sets for other episodes of them; degrees of freedom by Welch and Satterthwaite."""
    squares = np.stack([one.squares for one in each])  # [D, R, R]
    freedom = np.array([one.freedom for one in each], dtype=np.float64)[:, None, None]
    total, parts = squares.sum(0), (squares**2 / freedom).sum(0)
    known = parts > 0
    combined = np.where(known, total**2 / np.where(known, parts, 1.0), freedom.min())
    return PairedMeans(np.mean([one.means for one in each], axis=0), np.sqrt(total) / len(each), combined)


def over_other_sets(values: Floats) -> PairedMeans:
    """The mean over sets for other sets of the same kind, from the number of each run on each of two or more sets
    [D, R]."""
    differences = values[:, :, None] - values[:, None, :]  # [D, R, R]
    n_sets, n_runs = values.shape
    errors = differences.std(0, ddof=1) / np.sqrt(n_sets)
    return PairedMeans(differences.mean(0), errors, np.full((n_runs, n_runs), n_sets - 1.0))
