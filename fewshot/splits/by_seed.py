"""A random split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.plugins.fields import SEED, declare, number_in
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class BySeed(SplitRule):
    """A random split: these fractions of the classes are novel and validation; the rest is seen."""

    novel: float = 0.4
    validation: float = 0.1
    seed: int = 0

    rules = declare(novel=number_in("[0, 1]"), validation=number_in("[0, 1]"), seed=SEED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.novel + self.validation > 1:
            raise ValueError(
                f"the fractions novel and validation must add up to at most 1, got {self.novel} and {self.validation}"
            )

    def split(self, images: LabelledImages) -> ClassSplit:
        names = sorted(images.class_names)
        order = draws.distinct(self.seed, np.arange(1), np.array([[len(names)]]), len(names), streams.SPLIT)[0, 0]
        shuffled = [names[i] for i in order]
        first = round(self.novel * len(names))
        second = round((self.novel + self.validation) * len(names))
        return ClassSplit.of(shuffled[second:], shuffled[first:second], shuffled[:first])
