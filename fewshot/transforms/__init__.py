"""Feature transforms fitted on the seen classes: one file a transform, each a frozen dataclass.

Normalisation lives only here: an evaluator never normalises features on its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from torch import Tensor

Transform = Callable[[Tensor], Tensor]  # [..., D] -> [..., D], row by row


class FeatureTransform(ABC):
    """Maps features row by row, after a look at the features of the seen classes where it needs one."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields

    needs_seen: ClassVar[bool] = False
    changes_nothing: ClassVar[bool] = False  # whether features stay as they are, so that names leave it out

    @abstractmethod
    def fit(self, seen: Tensor | None) -> Transform:
        """The map, fitted on the features [m, D] of images of the seen classes (None unless `needs_seen`)."""

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap deterministic instances that the laws are tested on."""
        return [cls()]
