"""Comparisons of runs that solved the same episodes.

rows -> contests (one task, runs that differ in one thing) -> accuracies [R, E] of the same episodes -> comparisons
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.digest import episodes_digest
from fewshot.episodes.episodes import Episodes
from fewshot.report.rows.dependence import n_independent
from fewshot.report.rows.reasons import one_episode
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.best_runs import pool_tests, rank_sets
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.comparison import Comparison, Needed, compare, holm, needed, tied_ranks
from fewshot.statistics.interval import DIFFERENCE, NEW_IMAGES, Floats, Interval, Ints
from fewshot.statistics.intervals import pool_interval
from fewshot.statistics.units import Units

Grouping = tuple[str, NDArray[np.int64]]  # name of the groups, and the group of every class


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


@dataclass(frozen=True, eq=False)
class RunPair:
    """Two runs on the same E episodes."""

    a: Row
    b: Row
    accuracy_a: Floats  # [E]
    accuracy_b: Floats  # [E]
    units: Units
    comparison: Comparison
    pools: Ints | None = None  # [E] of the images, if they are disjoint

    @property
    def equal(self) -> bool:
        """Whether both runs have the same accuracy in every episode."""
        return bool((self.accuracy_a == self.accuracy_b).all())

    @property
    def few(self) -> str:
        """Why an interval for new classes is there but a ranking is not for them: too few classes; "" otherwise."""
        return "" if self.comparison.new_classes.reason else self.units.too_few

    @property
    def of_classes(self) -> bool:
        """Whether a ranking is for new classes: there is an interval for them, and they are enough."""
        return not self.few and not self.comparison.new_classes.reason

    @property
    def population(self) -> str:
        """What a ranking of these runs is for."""
        return f"new {self.units.name}" if self.of_classes else self.shown.population

    @property
    def shown(self) -> Interval:
        """The difference with its interval for the population of a ranking."""
        if self.of_classes:
            return self.comparison.new_classes
        if self.pools is None:
            return self.comparison.these_images
        of_pools = pool_interval(self.accuracy_a - self.accuracy_b, self.pools).inside(DIFFERENCE)
        return self.comparison.these_images if of_pools.reason else of_pools

    @property
    def p_value(self) -> float:
        """The p-value of "no difference" for this population."""
        if self.of_classes:
            return self.comparison.p_classes
        if self.shown.population == NEW_IMAGES and self.pools is not None:
            return float(pool_tests([self.accuracy_a, self.accuracy_b], self.pools)[0, 1])
        return self.comparison.p_images

    def turned(self) -> RunPair:
        """B minus A."""
        return RunPair(
            self.b, self.a, self.accuracy_b, self.accuracy_a, self.units, self.comparison.turned(), self.pools
        )

    def needed(self, delta: float) -> Needed:
        """The episodes and classes that detect a difference of `delta`."""
        return needed(self.accuracy_a - self.accuracy_b, self.units, delta)


def adjusted(pairs: Sequence[RunPair]) -> Floats:
    """Holm-adjusted p-values of all pairs that are shown together; NaN without a test."""
    p = np.array([pair.p_value for pair in pairs])
    tested = np.isfinite(p)
    result = np.full(len(p), np.nan)
    result[tested] = holm(p[tested])
    return result


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
    units = class_units(longest, rows[0].n_classes) if groups is None else _groups(longest, groups)
    return Contest(
        tuple(rows),
        tuple(one.accuracy for one in solved),
        units,
        0.5 * len(longest.accuracy) / longest.n_queries,
        pools_of(rows, longest),
    )


@dataclass(frozen=True, eq=False)
class Solved:
    """The part of a run's predictions that comparisons need."""

    accuracy: Floats  # [E]
    classes: NDArray[np.int64]  # flat labels
    n_way: NDArray[np.int64]  # [E]
    index: NDArray[np.int64]  # [E] the numbers of the episodes
    n_queries: int
    digest: str  # of the first episodes, those that all runs have

    @staticmethod
    def read(parts: Iterator[Predictions], common: int) -> Solved:
        """Reads predictions part by part. `common`: episodes that all runs have."""
        accuracies, classes, n_way, index, n_queries = [], [], [], [], 0

        def common_episodes() -> Iterator[Episodes]:
            nonlocal n_queries
            left = common
            for part in parts:
                accuracies.append(episode_accuracy(part))
                classes.append(part.episodes.classes)
                n_way.append(part.episodes.n_way)
                index.append(part.episodes.index)
                n_queries += len(part.predicted)
                if left > 0:
                    yield part.episodes[:left]
                left -= len(part)

        digest = episodes_digest(common_episodes())
        labels, ways, numbers = (np.concatenate(flat).astype(np.int64) for flat in (classes, n_way, index))
        return Solved(np.concatenate(accuracies), labels, ways, numbers, n_queries, digest)


def class_units(solved: Solved, n_classes: int) -> Units:
    """The classes of the episodes, numbered from 0. The data set may have more of them."""
    sampled, codes = np.unique(solved.classes, return_inverse=True)
    return Units(codes.astype(np.int64), solved.n_way, max(n_classes, len(sampled)))


def pools_of(rows: Sequence[Row], solved: Solved) -> Ints | None:
    """[E] the disjoint pool of all images of each episode; None if the rows have no interval for new images."""
    of = specs_of(rows[0])
    if of.from_file or any(row.new_images_low is None for row in rows):
        return None
    try:
        return np.asarray(of.sampler.make().pools_of(solved.index), dtype=np.int64)
    except Exception:  # the sampler of a stranger may be missing or fail in any way
        return None


def _groups(solved: Solved, grouping: Grouping) -> Units:
    """The groups of the classes of the episodes, numbered from 0."""
    name, codes = grouping
    sampled = np.unique(codes[solved.classes])
    numbered = np.searchsorted(sampled, codes)  # arbitrary for groups without an episode, which nobody reads
    return Units(solved.classes, solved.n_way, len(codes)).grouped(numbered, len(sampled), name)
