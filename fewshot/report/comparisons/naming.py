"""Names of runs in a comparison: by what differs between them. What they share is in the title."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.report.tables.task_table import plain
from fewshot.results.row import Row
from fewshot.results.row_specs import data_name


@dataclass(frozen=True)
class Naming:
    """Names of runs that differ in `by`: "evaluator", "backbone" or "anything"."""

    shown: Shown
    by: str

    def run(self, row: Row) -> str:
        """The name of a run."""
        name = self.shown.name(row)
        return {"evaluator": name.learner, "backbone": name.backbone, "anything": ", ".join(name)}[self.by]

    def pair(self, pair: RunPair) -> str:
        """Such as "LinearProbe − Prototype"."""
        return f"{self.run(pair.a)} − {self.run(pair.b)}"

    def shared(self, row: Row) -> str:
        """What all runs of a contest share beside their task; "" if anything may differ."""
        name = self.shown.name(row)
        return {"evaluator": name.backbone, "backbone": name.learner, "anything": ""}[self.by]

    def data(self, row: Row) -> str:
        """The data set of a run."""
        return data_name(row)

    def task(self, row: Row) -> str:
        """The task of a run with its shots."""
        return f"{self.shown.title(row)}, {shot_label(row)}"


class MarkdownNaming(Naming):
    """The same names as markdown shows them: rows may come from anybody."""

    def run(self, row: Row) -> str:
        return plain(super().run(row))

    def shared(self, row: Row) -> str:
        return plain(super().shared(row))

    def data(self, row: Row) -> str:
        return plain(super().data(row))

    def task(self, row: Row) -> str:
        return plain(super().task(row))
