"""Inputs of an episode: kept between steps if they are few, else recomputed at each step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from fewshot.evaluators.tuning import View
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.layout import arranged
from fewshot.evaluators.tuning.split import Tail
from fewshot.features.out_of_memory import halved_until_it_fits

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

MOST_AT_ONCE = 64  # images per forward pass; fewer if they are larger than 128 px
_PIXELS_AT_ONCE = 64 * 128 * 128
_KEPT_BYTES = 256 << 20  # for the inputs of an episode, or for its decoded images


def held_in_order(images: ImageRows, mask: Tensor, episode: int) -> Tensor:
    """Positions [S] of an episode's images under a True mask, sorted by row, so that the given order does not
    matter."""
    held = mask[episode].nonzero()[:, 0]
    return held[torch.argsort(images.rows[episode, held], stable=True)]


def all_held_in_order(images: ImageRows, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Positions [B, S] of the images of all episodes: those under a True mask first, sorted by row; and a mask of
    these places."""
    order = torch.argsort(images.rows.masked_fill(~mask, torch.iinfo(torch.int64).max), dim=1, stable=True)
    return order, mask.gather(1, order)


class Inputs:
    """Inputs of an episode's images by position in `order`: plain ones, and random views."""

    def __init__(
        self,
        images: ImageRows,
        episode: int,
        order: Tensor,
        backbone: Backbone,
        view: View | None = None,
        most: int = MOST_AT_ONCE,
        layout: str | None = None,
    ) -> None:
        self._images, self._episode, self._order, self._backbone = images, episode, order, backbone
        self._view, self._most, self._layout = view, most, layout
        self._pictures: dict[int, Image.Image] = {}
        self._picture_bytes = 0
        self._plain: Tensor | None = None  # [S, 3, H, W] if they fit

    def __len__(self) -> int:
        return len(self._order)

    @cached_property
    def shape(self) -> torch.Size:
        """[3, H, W] of an input."""
        return self._backbone.preprocess(self._picture(0)).shape

    @property
    def at_once(self) -> int:
        """How many images one forward pass takes."""
        return max(1, min(self._most, _PIXELS_AT_ONCE // (self.shape[1] * self.shape[2])))

    def keep(self) -> None:
        """Computes all plain inputs now and keeps them, if they fit."""
        if 4 * self.shape.numel() * len(self) <= _KEPT_BYTES:
            self._plain = self._preprocessed(range(len(self)))

    def plain(self, positions: Tensor) -> Tensor:
        """[b, 3, H, W] inputs from the network's own preprocessing, on its device."""
        inputs = self._preprocessed(positions.tolist()) if self._plain is None else self._plain[positions]
        return arranged(inputs.to(self._backbone.device), self._layout)

    def views(self, positions: Tensor, uniform: NDArray[np.float64]) -> Tensor:
        """[b, 3, H, W] inputs: a random view of each image, by numbers [b, 12] in [0, 1)."""
        assert self._view is not None
        fixed, inputs = self._images.orientation_matters, []
        for position, numbers in zip(positions.tolist(), uniform, strict=True):
            upright = fixed is not None and bool(fixed[self._episode, self._order[position]])
            inputs.append(self._view(self._picture(position), numbers, upright))
        return arranged(torch.stack(inputs).to(self._backbone.device), self._layout)

    def _preprocessed(self, positions: range | list[int]) -> Tensor:
        return torch.stack([self._backbone.preprocess(self._picture(position)) for position in positions])

    def _picture(self, position: int) -> Image.Image:
        """The decoded image; kept for the next view if there is room."""
        if position in self._pictures:
            return self._pictures[position]
        picture = self._images.decode(self._episode, self._order[[position]])[0]
        size = 3 * picture.width * picture.height
        if self._view is not None and self._picture_bytes + size <= _KEPT_BYTES:
            self._pictures[position] = picture
            self._picture_bytes += size
        return picture


def in_parts(function: Callable[[Tensor], Tensor], n: int, at_once: int) -> Tensor:
    """The values of a function at positions 0 to n - 1, `at_once` at a time, or fewer if memory is short."""

    def values(size: int) -> Tensor:
        return torch.cat([function(part) for part in torch.split(torch.arange(n), size)])

    return halved_until_it_fits(values, at_once, "images")[0]


def plain_features(
    images: ImageRows, episode: int, order: Tensor, backbone: Backbone, network: nn.Module, layout: str | None = None
) -> Tensor:
    """[len(order), D] features of an episode's images, from the activations of the frozen part if they are known."""
    if images.frozen is None:
        inputs = Inputs(images, episode, order, backbone, layout=layout)
        return in_parts(lambda part: network(inputs.plain(part)), len(order), inputs.at_once)
    known, rows = images.frozen, images.rows[episode, order]
    if known.split.is_whole:
        return known.gather(rows).to(backbone.device)
    tail = Tail(network, known.split, layout)
    return in_parts(lambda part: tail(known.gather(rows[part]).to(backbone.device)), len(order), MOST_AT_ONCE)
