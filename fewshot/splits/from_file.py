"""A split from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fewshot.datasets import LabelledImages
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class FromFile(SplitRule):
    """A split from a JSON file with the lists seen, validation, novel and their classes_digest."""

    path: Path

    def split(self, images: LabelledImages) -> ClassSplit:
        return ClassSplit.load(Path(self.path))
