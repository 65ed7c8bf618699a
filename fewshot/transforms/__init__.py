"""Transforms of features, some fitted on the seen classes: one file a transform, each a frozen dataclass.

May import: plugins. Normalisation lives only here: an evaluator never normalises features on its own.
A new transform: one file with a class derived from `FeatureTransform`; the common laws test it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from torch import Tensor

from fewshot.plugins.fields import Member

Transform = Callable[[Tensor], Tensor]  # [..., D] -> [..., D], row by row


class FeatureTransform(Member, ABC):
    """Maps features row by row, after a look at the features of the seen classes where it needs one."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    needs_seen: ClassVar[bool] = False
    keeps_features: ClassVar[bool] = False  # whether it changes nothing; names of methods leave it out

    @abstractmethod
    def fit(self, seen: Tensor | None) -> Transform:
        """The map, fitted on the features [m, D] of images of the seen classes (None unless `needs_seen`)."""

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap deterministic instances that the laws are tested on."""
        return [cls()]
