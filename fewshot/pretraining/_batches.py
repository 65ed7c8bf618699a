"""The images of a step and their network inputs, as functions of (seed, step)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.episodes.flat import Ints
from fewshot.evaluators.tuning.views import draw, view

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

_KEPT_BYTES = 512 << 20  # of decoded images in memory
_AT_ONCE = 256  # images per batch without gradients
_VIEWS = 1 << 20  # the second view of an image uses the random numbers of this many steps later


def positions(seed: int, step: int, batch_size: int, n: int) -> Ints:
    """[b] the positions of a step's images in one random order of all n after the other; b is at most n."""
    b = min(batch_size, n)
    places = np.arange(step * b, (step + 1) * b)
    orders = {int(epoch): _order(seed, int(epoch), n) for epoch in np.unique(places // n)}
    return np.array([orders[int(place // n)][place % n] for place in places])


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, n: int) -> Ints:
    return np.argsort(draws.words(seed, np.array([epoch]), 1, n, streams.MINI_BATCHES)[0, 0], kind="stable")


class Inputs:
    """Network inputs of images, plain or as random views; it never flips classes whose orientation matters."""

    def __init__(self, images: LabelledImages, backbone: Backbone, augment: str = "none", seed: int = 0) -> None:
        self._images, self._backbone, self._augment, self._seed = images, backbone, augment, seed
        self._fixed = images.orientation_matters
        self._pictures: dict[int, Image.Image] = {}
        self._bytes = 0
        self._threads = ThreadPoolExecutor(max(1, torch.get_num_threads()), thread_name_prefix="views")

    def __len__(self) -> int:
        return len(self._images)

    def views(self, rows: Ints, step: int, number: int = 0) -> Tensor:
        """[b, 3, H, W] random views of a step's images; another `number` gives another view of each image."""
        uniform = draw(self._seed, step + number * _VIEWS, len(rows))
        return self._stacked([(int(row), numbers) for row, numbers in zip(rows, uniform, strict=True)])

    def plain(self) -> Iterator[tuple[Ints, Tensor]]:
        """The positions and inputs [b, 3, H, W] of all images, in order, without augmentation."""
        for rows in np.array_split(np.arange(len(self)), -(-len(self) // _AT_ONCE)):
            yield rows, self._stacked([(int(row), None) for row in rows])

    def _stacked(self, views: list[tuple[int, NDArray[np.float64] | None]]) -> Tensor:
        inputs = torch.stack(list(self._threads.map(self._input, views)))
        return inputs.to(self._backbone.device).contiguous(memory_format=torch.channels_last)

    def _input(self, row_and_numbers: tuple[int, NDArray[np.float64] | None]) -> Tensor:
        row, uniform = row_and_numbers
        picture = self._picture(row)
        if uniform is not None:
            picture = view(picture, self._augment, uniform, bool(self._fixed[row]))
        return self._backbone.preprocess(picture)

    def _picture(self, row: int) -> Image.Image:
        """The decoded image; it stays in memory while there is room."""
        if row not in self._pictures:
            picture = self._images.images[row]
            self._bytes += 3 * picture.width * picture.height
            if self._bytes > _KEPT_BYTES:
                return picture
            self._pictures[row] = picture
        return self._pictures[row]
