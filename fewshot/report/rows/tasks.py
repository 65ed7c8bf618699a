"""Rows grouped by task: what may stand in one table, because it was measured on the same kind of episodes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from fewshot.report.rows.contenders import Contender, contender
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.task_titles import IF_DIFFERENT, titles
from fewshot.results.asked import asked, size
from fewshot.results.row import Row

_ALWAYS = ("dataset", "sampler", "classes", "n_way", "n_query")
_SHARED = ("n_way", "k_shot", "n_query", "seed", "images_digest", "split_digest", "classes")
_POPULATIONS = {"these images": "other episodes from these images and classes, not new images and not new classes"}


@dataclass(frozen=True, eq=False)
class Task:
    """Finished rows of one task, the others left out, and its title."""

    title: str
    rows: tuple[Row, ...]

    @cached_property
    def by_shot(self) -> dict[str, list[Row]]:
        """The rows by the label of their shots, the fewest first; "all" stands last."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(shot_label(row), []).append(row)
        return dict(sorted(found.items(), key=lambda held: _shot_order(held[1][-1])))

    @property
    def shots(self) -> list[str]:
        """The labels of the shots."""
        return list(self.by_shot)

    @cached_property
    def by_contender(self) -> dict[Contender, list[Row]]:
        """The rows of everything that is compared, backbone by backbone, in order of appearance."""
        found: dict[Contender, list[Row]] = {}
        for row in self.rows:
            found.setdefault(contender(row), []).append(row)
        place = {backbone: number for number, backbone in enumerate(dict.fromkeys(c.backbone for c in found))}
        return dict(sorted(found.items(), key=lambda held: place[held[0].backbone]))

    @property
    def contenders(self) -> list[Contender]:
        """What is compared."""
        return list(self.by_contender)

    @cached_property
    def grouped(self) -> tuple[Row, ...]:
        """The rows, those of a contender together."""
        return tuple(row for rows in self.by_contender.values() for row in rows)

    @cached_property
    def best(self) -> dict[str, Row]:
        """The most accurate row of every shot, among those of the most episodes; of equal ones the first. An oracle is
        never the best."""
        found = {}
        for shot, rows in self.by_shot.items():
            fair = [row for row in rows if measured(row) and not is_oracle(row)]
            if fair:
                found[shot] = max(fair, key=lambda row: (row.n_episodes, accuracy(row)))
        return found

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing between ways of equal size; None where the ways are not known or differ."""
        row = self.rows[0]
        of = asked(row)
        if of.from_file or (row.n_way is None and of.sampler.declares("open_ways_vary")):
            return None
        ways = row.n_way or row.n_classes
        return 1 / ways if ways and ways > 1 else None

    @cached_property
    def population(self) -> str:
        """What the intervals speak of, in words."""
        named = dict.fromkeys(row.population for row in self.rows if row.population and interval(row))
        return "; ".join(_POPULATIONS.get(name, name) for name in named)


def tasks(rows: Iterable[Row]) -> list[Task]:
    """The tasks of all rows that did not fail, in order of appearance. The titles differ."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.status != "failed":
            groups.setdefault(tuple(getattr(row, name) for name in _ALWAYS + IF_DIFFERENT), []).append(row)
    named = titles([group[0] for group in groups.values()])
    return [Task(title, tuple(group)) for title, group in zip(named, groups.values(), strict=True)]


def under_skewed_queries(rows: Iterable[Row]) -> dict[str, Row]:
    """For every transductive run under balanced queries, by its run id, the same run under queries in unequal shares:
    what is left of its score without the balanced prior."""
    balanced, skewed = [], {}
    for row in rows:
        sampler = asked(row).sampler
        if sampler.declares("is_balanced_but_for_queries") and measured(row):
            skewed[_but_for_queries(row)] = row
        elif sampler.declares("is_balanced") and row.transductive:
            balanced.append(row)
    return {row.run_id: skewed[key] for row in balanced if (key := _but_for_queries(row)) in skewed}


def _but_for_queries(row: Row) -> tuple[object, ...]:
    return contender(row), asked(row).sides, *(getattr(row, name) for name in _SHARED)


def shot_label(row: Row) -> str:
    """The column of a row: "1 shot", "5 shots", "at most 5 shots", "all shots", "5 shots on average"; "listed" for
    episodes of a file."""
    of = asked(row)
    if of.from_file:
        return "listed"
    mean = " on average" if of.sampler.declares("shots_on_average") else ""
    most = "at most " if row.k_shot_at_most else ""
    return f"{most}{size(row.k_shot, of.sampler)} shot{'' if row.k_shot == 1 else 's'}{mean}"


def measured(row: Row) -> bool:
    """Whether the row has an accuracy that is a number."""
    return row.status != "failed" and row.accuracy is not None and math.isfinite(row.accuracy)


def accuracy(row: Row) -> float:
    """The accuracy of a measured row."""
    assert row.accuracy is not None
    return row.accuracy


def interval(row: Row) -> tuple[float, float] | None:
    """The bounds of the interval; None where there is none, as after a single episode."""
    low, high = row.accuracy_low, row.accuracy_high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return low, high


def overlap(row: Row, best: Row) -> bool:
    """Whether the intervals of two measured rows share a value; a row without one is a point."""
    low, high = interval(row) or (accuracy(row), accuracy(row))
    best_low, best_high = interval(best) or (accuracy(best), accuracy(best))
    return high >= best_low and low <= best_high


def _shot_order(row: Row) -> tuple[float, bool]:
    return math.inf if row.k_shot is None else row.k_shot, row.k_shot_at_most
