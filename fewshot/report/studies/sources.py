"""Sources against targets: accuracy on new classes by the set that networks were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.plugins.short_name import short_names
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, why_unbounded
from fewshot.scaling.fits.intervals import ONE_SEED
from fewshot.scaling.studies.protocols import differences, told_apart
from fewshot.scaling.studies.sources import SourceMatrix, source_matrices


@dataclass(frozen=True)
class Sources(Study[list[SourceMatrix]]):
    """Sources against targets. Accuracy on new classes of each target by the set that networks were trained on,
    everything else equal: mean over seeds of training with a 95 % t interval."""

    title: ClassVar[str] = "Sources against targets"
    place: ClassVar[int] = 40
    needs: ClassVar[str] = (
        "rows of networks that differ only in the set they were trained on (Pretrained), on new classes of two sets or "
        "more, such as those of `fewshot bench adaptation_laws`"
    )

    def find(self, rows: StudyRows) -> list[SourceMatrix] | None:
        return source_matrices(rows.trained) or None

    def text(self, found: list[SourceMatrix]) -> str:
        return "Networks that differ only in the set they were trained on. Transfer is directed: read both ways."

    def tables(self, found: list[SourceMatrix]) -> Sequence[SectionTable]:
        targets = list(dict.fromkeys(target for matrix in found for target in matrix.targets))
        networks = short_names(matrix.network for matrix in found)
        heads = told_apart((matrix.head for matrix in found), lambda head: head.short_name)
        added = differences(found, lambda matrix: (matrix.network, matrix.images, matrix.head, matrix.task))
        lines = []
        for matrix in found:
            task = ", ".join([matrix.task, *added[matrix]])
            about = (networks[matrix.network], str(matrix.images), heads[matrix.head], task)
            lines += [(*about, source, *_cells(matrix, source, targets)) for source in matrix.sources]
        columns = ("network", "images of a source", "head", "task", "trained on", *(f"→ {each}" for each in targets))
        caption = "Accuracy on new classes of each target, %, mean over seeds of training with a 95 % t interval."
        return [SectionTable(caption, columns, tuple(lines))]

    def remarks(self, found: list[SourceMatrix]) -> Sequence[str]:
        return why_unbounded((cell.low, ONE_SEED) for matrix in found for cell in matrix.cells)

    def values(self, found: list[SourceMatrix]) -> Any:
        return [matrix.values() for matrix in found]


def _cells(matrix: SourceMatrix, source: str, targets: Sequence[str]) -> list[str]:
    cells = [matrix.cell(source, target) for target in targets]
    return ["" if c is None else bounded(100 * c.mean, 100 * c.low, 100 * c.high, 1) for c in cells]
