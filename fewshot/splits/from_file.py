"""A split from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fewshot.datasets import LabelledImages
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class FromFile(SplitRule):
    """A split from a JSON file with the lists seen, validation and novel, and optionally the classes_digest of their
    classes, which detects later changes."""

    path: Path

    def split(self, images: LabelledImages) -> ClassSplit:
        return ClassSplit.load(Path(self.path))
