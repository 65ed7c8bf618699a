"""The rows of a report with everything derived from all of them: computed once and passed to every part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from fewshot.report.rows.contenders import Contender, Name, Names, contender, contender_names
from fewshot.report.rows.costs import Costs
from fewshot.report.rows.tasks import Task, tasks, under_skewed_queries
from fewshot.results.row import Row
from fewshot.results.short_names import ShortNames


@dataclass(frozen=True, eq=False)
class Shown:
    """Rows, their tasks, and the names of their contenders."""

    rows: tuple[Row, ...]
    tasks: tuple[Task, ...]
    names: Names
    leaders: frozenset[str] | None = None  # run ids of the runs that rankings put in the group of the best, if ranked
    every: tuple[Row, ...] = ()  # rows of the same files that measured costs, shown or not

    @staticmethod
    def of(rows: Iterable[Row], short_names: ShortNames | None = None, every: Sequence[Row] = ()) -> Shown:
        """The rows, with their tasks and names: those in `short_names`, which a user gave, before all others. `every`:
        also the rows of these files that are not shown, so that a choice of rows changes no cost."""
        held = tuple({row.run_id or str(number): row for number, row in enumerate(rows)}.values())  # each run once
        given = {} if short_names is None else short_names.of
        return Shown(held, tuple(tasks(held)), contender_names(held, given), every=tuple(every))

    @cached_property
    def done(self) -> tuple[Row, ...]:
        """The rows that did not fail."""
        return tuple(row for row in self.rows if row.status != "failed")

    @cached_property
    def failed(self) -> tuple[Row, ...]:
        """The rows that failed."""
        return tuple(row for row in self.rows if row.status == "failed")

    @cached_property
    def numbers(self) -> Mapping[Contender, int]:
        """The number of every contender. Cells and marks carry it, so that the report can highlight them together."""
        return {each: number for number, each in enumerate(self.names)}

    @cached_property
    def skewed(self) -> Mapping[str, Row]:
        """For transductive runs with balanced queries, by run id: the same run with unequal query shares."""
        return under_skewed_queries(self.rows)

    @cached_property
    def costs(self) -> Costs:
        """What the rows of these files know together about the costs of runs."""
        return Costs.of(row for row in self.every or self.rows if row.status != "failed")

    def name(self, row: Row) -> Name:
        """The name of the contender of a row."""
        return self.names[contender(row)]

    def number(self, row: Row) -> int:
        """The number of the contender of a row."""
        return self.numbers[contender(row)]

    def title(self, row: Row) -> str:
        """The title of the task of a row that did not fail."""
        return self.task(row).title

    def task(self, row: Row) -> Task:
        """The task of a row that did not fail."""
        return self._tasks[id(row)]

    @cached_property
    def _tasks(self) -> dict[int, Task]:
        return {id(row): task for task in self.tasks for row in task.rows}
