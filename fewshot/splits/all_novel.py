"""Nothing was trained on this data set."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.datasets import LabelledImages
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class AllNovel(SplitRule):
    """Every class is novel: nothing was trained on this data set."""

    def split(self, images: LabelledImages) -> ClassSplit:
        return ClassSplit.of([], [], images.class_names)
