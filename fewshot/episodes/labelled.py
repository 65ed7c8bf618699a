"""The part of a data set that episodes use; `fewshot.datasets.LabelledImages` provides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Labelled(Protocol):
    """n labelled images, as rows 0 to n - 1."""

    def __len__(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> NDArray[np.int64]: ...  # [n] in [0, C)
    @property
    def class_names(self) -> tuple[str, ...]: ...  # [C]
    @property
    def images_digest(self) -> str: ...  # of the decoded content, in order
    @property
    def image_names(self) -> Sequence[str] | None: ...  # [n], all different; None if images have no names
