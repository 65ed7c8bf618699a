"""Sources and targets: accuracy on new classes by the data set that networks were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.plugins.short_name import short_names
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, why_unbounded
from fewshot.scaling.fits.intervals import ONE_SEED
from fewshot.scaling.studies.protocols import differences, unique_names
from fewshot.scaling.studies.sources import SourceMatrix, source_matrices


@dataclass(frozen=True)
class Sources(Study[list[SourceMatrix]]):
    """Accuracy on new classes of each target, by the data set that networks were trained on. Everything else is equal.
    Mean over training seeds with a 95 % t interval."""

    title: ClassVar[str] = "Sources and targets"
    place: ClassVar[int] = 40
    needs: ClassVar[str] = (
        "rows of networks that differ only in the data set they were trained on (Pretrained), on new classes of two "
        "sets or more, such as those of `fewshot bench adaptation_laws`"
    )

    def find(self, rows: StudyRows) -> list[SourceMatrix] | None:
        return source_matrices(rows.trained) or None

    def text(self, findings: list[SourceMatrix]) -> str:
        return (
            "Which data set is the best source for which target? The networks differ only in the set they were trained "
            "on.\n"
            "Transfer has a direction: compare both ways."
        )

    def tables(self, findings: list[SourceMatrix]) -> Sequence[SectionTable]:
        targets = list(dict.fromkeys(target for matrix in findings for target in matrix.targets))
        networks = short_names(matrix.network for matrix in findings)
        heads = unique_names((matrix.head for matrix in findings), lambda head: head.short_name)
        added = differences(findings, lambda matrix: (matrix.network, matrix.images, matrix.head, matrix.task))
        lines = []
        for matrix in findings:
            task = ", ".join([matrix.task, *added[matrix]])
            about = (networks[matrix.network], str(matrix.images), heads[matrix.head], task)
            lines += [(*about, source, *_cells(matrix, source, targets)) for source in matrix.sources]
        columns = ("network", "images of a source", "head", "task", "trained on", *(f"→ {each}" for each in targets))
        caption = "Accuracy in % on new classes of each target, mean over training seeds with a 95 % t interval."
        return [SectionTable(caption, columns, tuple(lines))]

    def remarks(self, findings: list[SourceMatrix]) -> Sequence[str]:
        return why_unbounded((cell.low, ONE_SEED) for matrix in findings for cell in matrix.cells)

    def values(self, findings: list[SourceMatrix]) -> Any:
        return [matrix.values() for matrix in findings]


def _cells(matrix: SourceMatrix, source: str, targets: Sequence[str]) -> list[str]:
    cells = [matrix.cell(source, target) for target in targets]
    return ["" if c is None else bounded(100 * c.mean, 100 * c.low, 100 * c.high, 1) for c in cells]
