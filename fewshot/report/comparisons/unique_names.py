"""Names that are different for all rows, by what differs among them: the backbone, the evaluator, or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.results.row import Row


@dataclass(frozen=True, eq=False)
class UniqueNames:
    """The names of rows, and of their tasks."""

    shown: Shown
    varies: tuple[bool, bool]  # backbones, evaluators
    namesakes: Mapping[tuple[str, str], int]  # by task and name

    @staticmethod
    def of(shown: Shown) -> UniqueNames:
        """The names of these rows."""
        names = [shown.name(row) for row in shown.done]
        backbones, learners = ({name[part] for name in names} for part in (0, 1))
        varies = (len(backbones) > 1, len(learners) > 1)
        plain = UniqueNames(shown, varies if any(varies) else (True, True), {})
        return UniqueNames(shown, plain.varies, Counter((plain.task(row), plain.run(row)) for row in shown.done))

    def parts(self, row: Row) -> tuple[str, ...]:
        """The backbone, the evaluator or both; runs that differ in neither have their run id too."""
        parts = tuple(part for part, shows in zip(self.shown.name(row), self.varies, strict=True) if shows)
        if self.namesakes.get((self.task(row), ", ".join(parts)), 0) > 1:
            return *parts[:-1], f"{parts[-1]} (run {row.run_id[:8]})"
        return parts

    def run(self, row: Row) -> str:
        """The name of a run, different for all runs of a task."""
        return ", ".join(self.parts(row))

    def task(self, row: Row) -> str:
        """The task of a run with its shots, and the part of the name that all runs share."""
        shared = [part for part, shows in zip(self.shown.name(row), self.varies, strict=True) if not shows]
        return ", ".join([self.shown.title(row), shot_label(row), *shared])
