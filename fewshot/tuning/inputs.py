"""Inputs of an episode: kept between steps where they are few, made at each step otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor, nn

from fewshot.images import ImageRows
from fewshot.tuning.split import Tail
from fewshot.tuning.views import draw, view

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

AT_ONCE = 64  # images that go through a network together
_KEPT_BYTES = 256 << 20  # of an episode's inputs, and as much of its decoded images


def held_in_order(images: ImageRows, mask: Tensor, episode: int) -> Tensor:
    """Positions [S] of an episode's images under a True mask, sorted by row: the given order means nothing."""
    held = mask[episode].nonzero()[:, 0]
    return held[torch.argsort(images.rows[episode, held], stable=True)]


class Inputs:
    """Inputs of an episode's images by position in `order`: plain ones, and random views."""

    def __init__(
        self, images: ImageRows, episode: int, order: Tensor, backbone: Backbone, augment: str = "none"
    ) -> None:
        self._augment = augment
        self._images, self._episode, self._order, self._backbone = images, episode, order, backbone
        self._pictures: dict[int, Image.Image] = {}
        self._picture_bytes = 0
        self._plain: Tensor | None = None  # [S, 3, H, W] where they fit

    def __len__(self) -> int:
        return len(self._order)

    def keep(self) -> None:
        """Makes all plain inputs now, and keeps them where they fit."""
        first = self._make([self._picture(0)])
        if first.numel() * 4 * len(self) <= _KEPT_BYTES:
            self._plain = torch.cat([first, *(self._make([self._picture(p)]) for p in range(1, len(self)))])

    def plain(self, positions: Tensor) -> Tensor:
        """[b, 3, H, W] inputs as the network's own preprocessing makes them, on its device."""
        if self._plain is not None:
            return self._plain[positions].to(self._backbone.device)
        return self._make([self._picture(p) for p in positions.tolist()]).to(self._backbone.device)

    def views(self, seed: int, step: int, positions: Tensor) -> Tensor:
        """[b, 3, H, W] inputs of a random view of each image, drawn anew at each step."""
        fixed, places = self._images.orientation_matters, positions.tolist()
        made = []
        for place, uniform in zip(places, draw(seed, step, places), strict=True):
            upright = fixed is not None and bool(fixed[self._episode, self._order[place]])
            made.append(view(self._picture(place), self._augment, uniform, upright))
        return self._make(made).to(self._backbone.device)

    def _make(self, pictures: list[Image.Image]) -> Tensor:
        return torch.stack([self._backbone.preprocess(picture) for picture in pictures])

    def _picture(self, position: int) -> Image.Image:
        """The decoded image; kept for the next view where there is room."""
        if position in self._pictures:
            return self._pictures[position]
        picture = self._images.decode(self._episode, self._order[[position]])[0]
        size = 3 * picture.width * picture.height
        if self._augment != "none" and self._picture_bytes + size <= _KEPT_BYTES:
            self._pictures[position] = picture
            self._picture_bytes += size
        return picture


def in_parts(function: Callable[[Tensor], Tensor], n: int) -> Tensor:
    """What a function gives for positions 0 to n - 1, a bounded number of them at a time."""
    return torch.cat([function(part) for part in torch.split(torch.arange(n), AT_ONCE)])


def plain_features(images: ImageRows, episode: int, order: Tensor, backbone: Backbone, network: nn.Module) -> Tensor:
    """[len(order), D] features of an episode's images, from the frozen part's activations where they are known."""
    if images.frozen is None:
        inputs = Inputs(images, episode, order, backbone)
        return in_parts(lambda part: network(inputs.plain(part)), len(order))
    tail, known, rows = Tail(network, images.frozen.split), images.frozen, images.rows[episode, order]
    return in_parts(lambda part: tail(known.gather(rows[part]).to(backbone.device)), len(order))
