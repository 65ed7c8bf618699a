"""Images of episodes for evaluators that tune a network: rows of a data set, decoded lazily."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from fewshot.datasets import ImageSequence

if TYPE_CHECKING:
    from fewshot.evaluators.tuning.table import FrozenTable


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Images [B, S] of a batch of episodes, as rows of a data set. `decode` reads them."""

    images: ImageSequence
    rows: Tensor  # [B, S] int64
    orientation_matters: Tensor | None = None  # [B, S] bool: must not be flipped or rotated
    frozen: FrozenTable | None = None  # outputs of the frozen part of a network that is tuned in part

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Tensor | slice | tuple[slice, Tensor]) -> ImageRows:
        """The images [B', S'] at an index into [B, S]."""
        fixed = None if self.orientation_matters is None else self.orientation_matters[at]
        return replace(self, rows=self.rows[at], orientation_matters=fixed)

    def decode(self, episode: int, positions: Tensor | list[int]) -> list[Image.Image]:
        """The images at these positions of an episode, RGB, at their original resolution."""
        return [self.images[int(self.rows[episode, position])] for position in positions]
