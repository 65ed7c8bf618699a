"""Transforms of features, some fitted on the seen classes: one file per transform, each a frozen dataclass.

May import: plugins. Only transforms normalise features; evaluators never do.
A new transform: one file with a class derived from `FeatureTransform`. The common laws test it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from torch import Tensor

from fewshot.plugins.fields import Member

Transform = Callable[[Tensor], Tensor]  # [..., D] -> [..., D], row by row


class FeatureTransform(Member, ABC):
    """A map of features, row by row, fitted on the features of the seen classes if it needs them."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    needs_seen: ClassVar[bool] = False
    keeps_features: ClassVar[bool] = False  # True if it changes nothing; names of methods then omit it

    @abstractmethod
    def fit(self, seen: Tensor | None) -> Transform:
        """The map, fitted on the features [m, D] of images in the seen classes (None unless `needs_seen`)."""

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap deterministic instances for the tests of the laws."""
        return [cls()]
