"""A split without training: all classes are novel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.datasets import LabelledImages
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class AllNovel(SplitRule):
    """All classes are novel: nothing was trained on this data set."""

    has_seen: ClassVar[bool] = False

    def split(self, images: LabelledImages) -> ClassSplit:
        return ClassSplit.of([], [], images.class_names)
