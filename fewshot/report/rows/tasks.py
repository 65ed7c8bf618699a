"""Rows grouped by task. One table may show rows of one task, because they share the kind of episodes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from fewshot.plugins.wording import agreeing
from fewshot.report.rows.contenders import Contender, contender
from fewshot.report.rows.dependence import draws_depend, n_independent
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.task_titles import titles
from fewshot.results.comparability import SHOTS, task_choices
from fewshot.results.row import Row
from fewshot.results.row_specs import size, specs_of

_SHARED = ("n_way", "k_shot", "n_query", "seed", "images_digest", "split_digest", "classes")


@dataclass(frozen=True, eq=False)
class Task:
    """The title of a task and its finished rows."""

    title: str
    rows: tuple[Row, ...]

    @cached_property
    def by_shot(self) -> dict[str, list[Row]]:
        """The rows by the label of their shots, fewest shots first and "all" last."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(shot_label(row), []).append(row)
        return dict(sorted(groups.items(), key=lambda group: _shot_order(group[1][-1])))

    @property
    def shots(self) -> list[str]:
        """The labels of the shots."""
        return list(self.by_shot)

    @cached_property
    def by_contender(self) -> dict[Contender, list[Row]]:
        """The rows of every contender, backbone by backbone, in order of appearance."""
        groups: dict[Contender, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(contender(row), []).append(row)
        place = {backbone: number for number, backbone in enumerate(dict.fromkeys(c.backbone for c in groups))}
        return dict(sorted(groups.items(), key=lambda group: place[group[0].backbone]))

    @property
    def contenders(self) -> list[Contender]:
        """The contenders of the task."""
        return list(self.by_contender)

    @cached_property
    def grouped(self) -> tuple[Row, ...]:
        """The rows, contender by contender."""
        return tuple(row for rows in self.by_contender.values() for row in rows)

    @cached_property
    def best(self) -> dict[str, Row]:
        """The best row of every shot: the most accurate of those with the most episodes, the first of equal ones. An
        oracle is never the best."""
        best = {}
        for shot, rows in self.by_shot.items():
            fair = [row for row in rows if measured(row) and not is_oracle(row)]
            if fair:
                best[shot] = max(fair, key=lambda row: (row.n_episodes, accuracy(row)))
        return best

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing among equally large ways; None if the number of ways is unknown or varies."""
        return chance(self.rows[0])

    @cached_property
    def population(self) -> str:
        """What the intervals of the accuracies are for, such as "these images"; "" if there are none."""
        return " or ".join(dict.fromkeys(row.population for row in self.rows if row.population and interval(row)))


def tasks(rows: Iterable[Row]) -> list[Task]:
    """The tasks of all rows that did not fail, in order of appearance. All titles differ."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.status != "failed":
            groups.setdefault(task_choices(row, without=SHOTS), []).append(row)
    names = titles([group[0] for group in groups.values()])
    return [Task(title, tuple(group)) for title, group in zip(names, groups.values(), strict=True)]


def under_skewed_queries(rows: Iterable[Row]) -> dict[str, Row]:
    """For every transductive run with balanced queries, by run id: the same run with unequal query shares. Its score
    shows how much the balanced prior was worth."""
    balanced, skewed = [], {}
    for row in rows:
        sampler = specs_of(row).sampler
        if sampler.declares("is_balanced_but_for_queries") and measured(row):
            skewed[_but_for_queries(row)] = row
        elif sampler.declares("is_balanced") and row.transductive:
            balanced.append(row)
    return {row.run_id: skewed[key] for row in balanced if (key := _but_for_queries(row)) in skewed}


def _but_for_queries(row: Row) -> tuple[object, ...]:
    return contender(row), specs_of(row).sides, *(getattr(row, name) for name in _SHARED)


def chance(row: Row) -> float | None:
    """The accuracy of guessing among equally large ways; None if the number of ways is unknown or varies."""
    spec = specs_of(row)
    if spec.from_file or (row.n_way is None and spec.sampler.declares("open_ways_vary")):
        return None
    ways = row.n_way or row.n_classes
    return 1 / ways if ways and ways > 1 else None


def shot_label(row: Row) -> str:
    """The column of a row: "1 shot", "5 shots", "at most 5 shots", "all shots", "5 shots on average"; "listed" for
    episodes of a file."""
    spec = specs_of(row)
    if spec.from_file:
        return "listed"
    mean = " on average" if spec.sampler.declares("shots_on_average") else ""
    most = "at most " if row.k_shot_at_most else ""
    return f"{most}{size(row.k_shot, spec.sampler)} {agreeing(row.k_shot, 'shot', 'shots')}{mean}"


def measured(row: Row) -> bool:
    """Whether the row has an accuracy that is a number."""
    return row.status != "failed" and row.accuracy is not None and math.isfinite(row.accuracy)


def accuracy(row: Row) -> float:
    """The accuracy of a measured row."""
    assert row.accuracy is not None
    return row.accuracy


def interval(row: Row) -> tuple[float, float] | None:
    """The bounds of the interval; None if there is none, as after a single episode, if the draws depend on each other,
    or if it has no width: all episodes then have the same accuracy, which is no certainty."""
    if draws_depend(row):
        return None
    low, high = row.accuracy_low, row.accuracy_high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high) and low < high):
        return None
    return low, high


def overlap(row: Row, best: Row) -> bool:
    """Whether the intervals of two measured rows share a value; a row whose episodes are all equal is a point. A single
    episode has no interval to compare."""
    if min(n_independent(row), n_independent(best)) < 2:
        return False
    low, high = interval(row) or (accuracy(row), accuracy(row))
    best_low, best_high = interval(best) or (accuracy(best), accuracy(best))
    return high >= best_low and low <= best_high


def _shot_order(row: Row) -> tuple[float, bool]:
    return math.inf if row.k_shot is None else row.k_shot, row.k_shot_at_most
