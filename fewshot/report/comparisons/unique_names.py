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

    def run(self, row: Row) -> str:
        """The name of a run; runs that differ in neither part have their run id too."""
        parts = [part for part, shows in zip(self.shown.name(row), self.varies, strict=True) if shows]
        name = ", ".join(parts)
        return f"{name} (run {row.run_id[:8]})" if self.namesakes.get((self.task(row), name), 0) > 1 else name

    def task(self, row: Row) -> str:
        """The task of a run with its shots, and the part of the name that all runs share."""
        shared = [part for part, shows in zip(self.shown.name(row), self.varies, strict=True) if not shows]
        return ", ".join([self.shown.title(row), shot_label(row), *shared])
