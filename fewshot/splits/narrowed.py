"""A split with fewer seen classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws
from fewshot.splits import ClassSplit, SplitRule

_NARROWING = 62


@dataclass(frozen=True)
class Narrowed(SplitRule):
    """Another split with `n_seen` of its seen classes: those of 10 are among those of 20 of the same seed. The seen
    classes that are left out stand with the validation classes, so that the novel ones stay what they are."""

    short_name: ClassVar[str] = "{inner} narrowed to {n_seen} seen classes, seed {seed}"

    inner: SplitRule
    n_seen: int
    seed: int = 0

    def split(self, images: LabelledImages) -> ClassSplit:
        whole = self.inner.split(images)
        if not 1 <= self.n_seen <= len(whole.seen):
            raise ValueError(
                f"The 'n_seen' of Narrowed must be in 1..{len(whole.seen)}, the seen classes that there are. "
                f"Got {self.n_seen} instead."
            )
        order = draws.distinct(self.seed, np.arange(1), np.array([[len(whole.seen)]]), len(whole.seen), _NARROWING)
        shuffled = [whole.seen[i] for i in order[0, 0]]
        return ClassSplit.of(shuffled[: self.n_seen], [*whole.validation, *shuffled[self.n_seen :]], whole.novel)
