"""Images of a data set as inputs of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fewshot.datasets import LabelledImages

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Decoder:
    """Images of a data set as inputs [3, H, W] of a network."""

    images: LabelledImages
    preprocess: Callable[[Image.Image], Tensor]
    backbone: str  # the name
    shape: torch.Size | None = None  # of every input; None: not yet known

    def input(self, row: int) -> tuple[Tensor, int]:
        """The preprocessed image of a row, and the bytes of the image in RGB. Every error names the row."""
        try:
            image = self.images.images[row]
            tensor = self.preprocess(image)
        except Exception as error:
            raise ValueError(f"image row {row} of {self.images.name} cannot be read: {error}") from error
        expected = self.shape or tensor.shape
        if tensor.ndim != 3 or tensor.shape != expected:
            raise ValueError(
                f"the preprocessing of {self.backbone} should give {list(expected)} for every "
                f"image, but gave {list(tensor.shape)} for row {row}"
            )
        return tensor, 3 * image.width * image.height

    def write(self, inputs: NDArray[np.float32], slots: Rows) -> int:
        """Writes the inputs of some slots into [b, 3, H, W], zeros into empty slots; the bytes of the images."""
        n_bytes = 0
        for place, row in enumerate(slots.tolist()):
            if row < 0:
                inputs[place] = 0
            else:
                tensor, size = self.input(row)
                inputs[place], n_bytes = tensor.numpy(), n_bytes + size
        return n_bytes


@dataclass(frozen=True, eq=False)
class Decoded:
    """A batch in its buffer; `free` gives the buffer back."""

    slots: Rows  # [b], -1 where a slot is empty
    inputs: Tensor  # [b, 3, H, W]
    n_bytes: int  # of the decoded images in RGB
    free: Callable[[], None]
