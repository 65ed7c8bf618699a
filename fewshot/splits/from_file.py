"""A split from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fewshot.datasets import ClassList, LabelledImages
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class FromFile(SplitRule):
    """A split from a JSON file with the lists seen, validation and novel, and optionally the classes_digest of their
    classes, which detects later changes."""

    names_classes: ClassVar[bool] = True

    path: Path

    def check(self, listed: ClassList) -> None:
        ClassSplit.load(Path(self.path)).check(listed)

    def split(self, images: LabelledImages) -> ClassSplit:
        return ClassSplit.load(Path(self.path))
