"""A split with fewer seen classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.datasets import ClassList, LabelledImages
from fewshot.episodes import draws, streams
from fewshot.plugins.fields import SEED, Rule, declare, integer, refused
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class Narrowed(SplitRule):
    """Another split with only `n_seen` of its seen classes; with one seed, the 10 classes are among the 20. The other
    seen classes join the validation classes, so the novel classes stay the same."""

    short_name: ClassVar[str] = "{inner} narrowed to {n_seen} seen classes, seed {seed}"

    names_classes: ClassVar[bool] = True

    inner: SplitRule
    n_seen: int
    seed: int = 0

    rules = declare(
        inner=Rule("another split, such as BySeed()", lambda inner: isinstance(inner, SplitRule)),
        n_seen=integer(1),
        seed=SEED,
    )

    def check(self, listed: ClassList) -> None:
        self.inner.check(listed)

    def split(self, images: LabelledImages) -> ClassSplit:
        whole = self.inner.split(images)
        if self.n_seen > len(whole.seen):
            raise refused(self, "n_seen", f"in 1..{len(whole.seen)}, the number of seen classes")
        size = len(whole.seen)
        order = draws.distinct(self.seed, np.arange(1), np.array([[size]]), size, streams.NARROWING)[0, 0]
        shuffled = [whole.seen[i] for i in order]
        return ClassSplit.of(shuffled[: self.n_seen], [*whole.validation, *shuffled[self.n_seen :]], whole.novel)
