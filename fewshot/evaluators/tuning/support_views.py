"""Further views of every image of a data set: a fixed number of random ones, the same for every episode."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewshot.datasets import ImageSequence, LabelledImages
from fewshot.evaluators.tuning.views import draw_of_row, view

_FORMAT = "fewshot-view-1"  # raised when a view of a row is another picture


@dataclass(frozen=True)
class FurtherViews:
    """`number` views of each image beside itself, functions of (seed, row, number of the view) alone."""

    number: int
    augment: str
    seed: int = 0

    def of(self, images: LabelledImages) -> dict[str, LabelledImages]:
        """One data set for each view, by the name of the view: row r is a view of image r, computed lazily;
        `images_digest` identifies them."""
        names = [f"view {number} ({self.augment}, seed {self.seed})" for number in range(1, self.number + 1)]
        return {name: self._one(images, number, name) for number, name in enumerate(names, 1)}

    def _one(self, images: LabelledImages, number: int, name: str) -> LabelledImages:
        upright = images.orientation_matters
        sha = hashlib.sha256(f"{_FORMAT} {images.images_digest} {self.augment} {number} {self.seed} ".encode())
        sha.update(np.packbits(upright).tobytes())  # they are not flipped
        viewed = _ViewedImages(images.images, self.augment, self.seed, number, upright)
        return replace(images, name=f"{images.name}, {name}", images=viewed, images_digest=sha.hexdigest())


@dataclass(frozen=True, eq=False)
class _ViewedImages:
    """One view of each of n images."""

    images: ImageSequence
    augment: str
    seed: int
    number: int  # of the view, from 1
    upright: NDArray[np.bool_]  # [n] must not be flipped

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int, /) -> Image.Image:
        uniform = draw_of_row(self.seed, row, self.number)
        return view(self.images[row], self.augment, uniform, bool(self.upright[row]))
