"""Comparisons of runs that solved the same episodes.

rows -> contests (one task, runs that differ in one thing) -> accuracies [R, E] of the same episodes -> comparisons
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Protocol

from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.solved import Grouping, Solved, class_units, group_units, pools_of
from fewshot.report.rows.dependence import n_independent
from fewshot.report.rows.reasons import one_episode
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.statistics.best_runs import rank_sets
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.comparison import compare, tied_ranks
from fewshot.statistics.interval import Floats, Interval, Ints
from fewshot.statistics.units import Units


@dataclass(frozen=True, eq=False)
class Contest:
    """R runs of one task on the same episodes. Runs may have different numbers of them."""

    rows: tuple[Row, ...]
    accuracy: tuple[Floats, ...]  # [E] of each run
    units: Units  # of the longest run
    half_query: float  # half of one query's share of the accuracy of an episode
    pools: Ints | None = None  # [E] the pool of all images of each episode of the longest run, if they are disjoint

    def interval(self, run: int) -> Interval:
        """The accuracy of a run for new classes."""
        values = self.accuracy[run]
        return class_interval(values, self.units.first(len(values)), half_query=self.half_query / len(values))

    def pairs(self, versus: Row | None = None) -> list[RunPair]:
        """The paired comparison of every two runs, or only of `versus` with each other run; the more accurate run
        first, from the best to the worst."""
        order = sorted(range(len(self.rows)), key=lambda run: -float(self.accuracy[run].mean()))
        if versus is None:
            return [self._pair(a, b) for a, b in combinations(order, 2)]
        place = order.index(self.rows.index(versus))
        better, one, worse = order[:place], order[place], order[place + 1 :]
        return [*(self._pair(run, one) for run in better), *(self._pair(one, run) for run in worse)]

    def _pair(self, a: int, b: int) -> RunPair:
        count = min(len(self.accuracy[a]), len(self.accuracy[b]))
        first, second, units = self.accuracy[a][:count], self.accuracy[b][:count], self.units.first(count)
        pools = None if self.pools is None else self.pools[:count]
        return RunPair(self.rows[a], self.rows[b], first, second, units, compare(first, second, units), pools)

    def ranks(self) -> dict[str, tuple[int, int]]:
        """The range of possible ranks of each run, by run id; empty for more than 1000 runs."""
        return rank_sets(self._accuracies, self.units)

    def tied_ranks(self) -> dict[str, float]:
        """The ranks by the rule of Meta-Dataset, by run id."""
        return tied_ranks(self._accuracies)

    @property
    def _accuracies(self) -> dict[str, Floats]:
        return {row.run_id: a for row, a in zip(self.rows, self.accuracy, strict=True)}


class Stored(Protocol):
    """Where rows and their predictions lie: a results file, or several."""

    @property
    def paths(self) -> Sequence[Path]: ...
    def predictions(self, row: Row, /) -> Iterator[Predictions]: ...


def contest(results: Stored, rows: Sequence[Row], grouping: Callable[[Row], Grouping] | None = None) -> Contest:
    """The runs of a task on the same episodes. Raises a ValueError if a run has one episode, if the common episodes
    differ, or if stored predictions are missing."""
    fewest, common = min(rows, key=n_independent), min(row.n_episodes for row in rows)
    if n_independent(fewest) < 2:
        raise ValueError(one_episode(fewest, f"run {fewest.run_id[:8]}"))
    groups = None if grouping is None else grouping(rows[0])  # before predictions, which take longer to read
    solved = [Solved.read(results.predictions(row), common) for row in rows]
    odd = next((i for i, one in enumerate(solved) if one.digest != solved[0].digest), None)
    if odd is not None:
        raise ValueError(
            f"the runs {rows[0].run_id} and {rows[odd].run_id} have the same task but different episodes, because "
            "another release made one of them; run it again"
        )
    longest = max(solved, key=lambda one: len(one.accuracy))
    units = class_units(longest, rows[0].n_classes) if groups is None else group_units(longest, groups)
    return Contest(
        tuple(rows),
        tuple(one.accuracy for one in solved),
        units,
        0.5 * len(longest.accuracy) / longest.n_queries,
        pools_of(rows, longest),
    )
