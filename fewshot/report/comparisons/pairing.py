"""Comparisons of runs that solved the same episodes.

rows -> contests (one task, runs that differ in one thing) -> accuracies [R, E] of the same episodes -> comparisons
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Protocol

from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.solved import Grouping, Solved, class_units, group_units, pools_of
from fewshot.report.rows.dependence import n_independent
from fewshot.report.rows.reasons import one_episode
from fewshot.results.comparability import nearest, refusal, task_choices
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.statistics.best_runs import rank_sets
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.comparison import compare, tied_ranks
from fewshot.statistics.interval import Floats, Interval, Ints
from fewshot.statistics.units import Units

# The columns that may differ for each choice of --by. All other columns of the spec are equal.
BY = {
    "evaluator": ("transform", "evaluator", "selection_rule"),
    "backbone": ("backbone", "dtype"),
    "anything": ("transform", "evaluator", "selection_rule", "backbone", "dtype"),
}


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


@dataclass(frozen=True)
class Uncompared:
    """Runs of one task that cannot be compared: one of them, and why."""

    row: Row
    reason: str
    names_run: bool = False  # whether the reason is that of this run, not of all runs of its task


class Stored(Protocol):
    """Where rows and their predictions lie: a results file, or several."""

    @property
    def path(self) -> Path: ...
    def predictions(self, row: Row, /) -> Iterator[Predictions]: ...


def contests(
    results: Stored, rows: Sequence[Row], by: str, grouping: Callable[[Row], Grouping] | None = None
) -> tuple[list[Contest], list[Uncompared]]:
    """The contests among these rows, of two runs or more that differ in `by` alone and solved the same two episodes or
    more; and the runs that cannot be compared, such as those of one episode, or a group without stored predictions.

    `grouping` gives the groups that replace the classes of a row's data set. Raises a ValueError if no two runs can be
    compared.
    """
    compared, others = [], []
    for group in rivals(rows, by):
        several = [row for row in group if n_independent(row) > 1]
        single = [row for row in group if n_independent(row) < 2]
        if several:
            others += [Uncompared(row, one_episode(row, "it"), names_run=True) for row in single]
        else:
            others += [Uncompared(row, one_episode(row)) for row in single]
        if len(several) < 2:
            continue
        try:
            compared.append(contest(results, several, grouping))
        except ValueError as error:
            others.append(Uncompared(several[0], str(error)))
    if not compared and others:
        raise ValueError("; ".join(dict.fromkeys(map(_sentence, others))))
    if not compared:
        differing = refusal([row for row in rows if row.status == "ok"])
        what, to_do = (
            f"differ in {by} alone",
            "compare with --by anything, or run another backbone or evaluator on the task",
        )
        if by == "anything":
            what, to_do = "differ in backbone or evaluator", "run another backbone or evaluator on the same task"
        because = f", because they differ in {differing}" if differing else ""
        raise ValueError(f"{results.path} has no two runs that {what} and share their episodes{because}; {to_do}")
    return compared, others


def _sentence(other: Uncompared) -> str:
    """Why a run is not compared, with its id if the reason is its own."""
    return f"run {other.row.run_id[:8]}: {other.reason}" if other.names_run else other.reason


def alone(rows: Sequence[Row]) -> list[Uncompared]:
    """The runs that share their task with no other run, although other runs are there, each with the choices in which
    it differs from the nearest run."""
    done = [row for row in rows if row.status == "ok"]
    keys = [task_choices(row) for row in done]
    counts = Counter(keys)
    if len(done) < 2:
        return []
    lone = [row for row, key in zip(done, keys, strict=True) if counts[key] == 1]
    return [Uncompared(row, f"no other run has its task; the nearest differs in {nearest(row, done)}") for row in lone]


def rivals(rows: Sequence[Row], by: str) -> list[list[Row]]:
    """Groups of two or more runs that did not fail and differ in `by` alone."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    fixed = [name for name in BY["anything"] if name not in BY[by]]
    for row in rows:
        if row.status == "ok":
            groups.setdefault((*task_choices(row), *(getattr(row, name) for name in fixed)), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


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
