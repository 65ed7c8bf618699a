"""Rows to comparisons: runs that solved the same episodes, side by side.

rows -> contests (one task, runs that differ in one thing) -> accuracies [R, E] of the same episodes -> comparisons
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.episodes import Episodes, episodes_digest
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.row import Row
from fewshot.statistics.comparison import Comparison, Needed, compare, holm, needed, rank_sets, tied_ranks
from fewshot.statistics.intervals import Floats, Interval, Units, class_interval

# What is compared by each choice of --by: these columns differ, all others that shape a run are equal.
BY = {
    "evaluator": ("transform", "evaluator", "selection_rule"),
    "backbone": ("backbone", "dtype"),
    "anything": ("transform", "evaluator", "selection_rule", "backbone", "dtype"),
}
_TASK = (
    *("dataset", "split_digest", "images_digest", "classes", "sampler"),
    *("n_way", "k_shot", "n_query", "k_shot_at_most", "seed"),
)
Grouping = tuple[str, NDArray[np.int64]]  # what groups are called, and the group of every class


@dataclass(frozen=True, eq=False)
class Contest:
    """R runs of one task, on the same episodes as far as each of them goes."""

    rows: tuple[Row, ...]
    accuracy: tuple[Floats, ...]  # [E] of each run
    units: Units  # of the longest
    half_query: float  # half of one query's share in the mean of an episode

    def interval(self, run: int) -> Interval:
        """The accuracy of a run for new classes."""
        values = self.accuracy[run]
        return class_interval(values, self.units.first(len(values)), half_query=self.half_query / len(values))

    def pairs(self) -> list[RunPair]:
        """The paired comparison of every two runs, the more accurate one first, from the best to the worst."""
        order = sorted(range(len(self.rows)), key=lambda run: -float(self.accuracy[run].mean()))
        return [self._pair(a, b) for a, b in combinations(order, 2)]

    def _pair(self, a: int, b: int) -> RunPair:
        count = min(len(self.accuracy[a]), len(self.accuracy[b]))
        first, second, units = self.accuracy[a][:count], self.accuracy[b][:count], self.units.first(count)
        return RunPair(self.rows[a], self.rows[b], first, second, units, compare(first, second, units))

    def ranks(self) -> dict[str, tuple[int, int]]:
        """The ranks that each run may have, by run id."""
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

    def turned(self) -> RunPair:
        """B minus A."""
        return RunPair(self.b, self.a, self.accuracy_b, self.accuracy_a, self.units, self.comparison.turned())

    def needed(self, delta: float) -> Needed:
        """What would show that the two differ by `delta`."""
        return needed(self.accuracy_a - self.accuracy_b, self.units, delta)


def adjusted(pairs: Sequence[RunPair]) -> Floats:
    """Holm-adjusted class-level p-values of all pairs shown together; NaN where there is no test over classes."""
    p = np.array([pair.comparison.p_classes for pair in pairs])
    tested = np.isfinite(p)
    result = np.full(len(p), np.nan)
    result[tested] = holm(p[tested])
    return result


def contests(
    results: Results, rows: Sequence[Row], by: str, grouping: Callable[[Row], Grouping] | None = None
) -> list[Contest]:
    """The contests among these rows: two runs or more that differ in `by` alone and solved the same episodes.

    `grouping` gives the groups of classes that stand in place of the classes of a row's data set. A ValueError where
    no two runs can be compared, or where stored predictions are missing.
    """
    found = [contest(results, group, grouping) for group in rivals(rows, by)]
    if not found:
        raise ValueError(
            f"no two runs of {results.path} differ in their {by} alone and have the same episodes; "
            f"choose another of {', '.join(BY)}, or run more"
        )
    return found


def rivals(rows: Sequence[Row], by: str) -> list[list[Row]]:
    """The runs that did not fail, two or more together that differ in `by` alone."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    fixed = [name for name in BY["anything"] if name not in BY[by]]
    for row in rows:
        if row.status == "ok":
            groups.setdefault(tuple(getattr(row, name) for name in (*_TASK, *fixed)), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def contest(results: Results, rows: Sequence[Row], grouping: Callable[[Row], Grouping] | None = None) -> Contest:
    """The runs of a task, their episodes proven to be the same as far as the shortest goes. A ValueError where they are
    not, or where stored predictions are missing."""
    common = min(row.n_episodes for row in rows)
    solved = [_Solved.of(results.predictions(row), common) for row in rows]
    odd = next((i for i, one in enumerate(solved) if one.digest != solved[0].digest), None)
    if odd is not None:
        raise ValueError(
            f"the runs {rows[0].run_id} and {rows[odd].run_id} are of one task but solved different episodes; "
            "one of them was made by another release: run it again"
        )
    longest = max(solved, key=lambda one: len(one.accuracy))
    units = _units(longest, rows[0].n_classes) if grouping is None else _groups(longest, grouping(rows[0]))
    return Contest(
        tuple(rows), tuple(one.accuracy for one in solved), units, 0.5 * len(longest.accuracy) / longest.n_queries
    )


@dataclass(frozen=True, eq=False)
class _Solved:
    """What is kept of a run's predictions."""

    accuracy: Floats  # [E]
    classes: NDArray[np.int64]  # flat labels
    n_way: NDArray[np.int64]  # [E]
    n_queries: int
    digest: str  # of the first episodes, those that all runs have

    @staticmethod
    def of(parts: Iterator[Predictions], common: int) -> _Solved:
        accuracies, classes, n_way, n_queries = [], [], [], 0

        def read() -> Iterator[Episodes]:
            nonlocal n_queries
            left = common
            for part in parts:
                accuracies.append(episode_accuracy(part))
                classes.append(part.episodes.classes)
                n_way.append(part.episodes.n_way)
                n_queries += len(part.predicted)
                if left > 0:
                    yield part.episodes[:left]
                left -= len(part)

        digest = episodes_digest(read())
        labels, ways = (np.concatenate(flat).astype(np.int64) for flat in (classes, n_way))
        return _Solved(np.concatenate(accuracies), labels, ways, n_queries, digest)


def _units(solved: _Solved, n_classes: int) -> Units:
    """Classes, numbered among those that episodes are drawn from."""
    drawn, held = np.unique(solved.classes, return_inverse=True)
    return Units(held.astype(np.int64), solved.n_way, max(n_classes, len(drawn)))


def _groups(solved: _Solved, grouping: Grouping) -> Units:
    """The groups that the episodes' classes belong to."""
    name, codes = grouping
    drawn = np.unique(codes[solved.classes])
    numbered = np.searchsorted(drawn, codes)  # of groups that no episode holds: never asked
    return Units(solved.classes, solved.n_way, len(codes)).grouped(numbered, len(drawn), name)
