"""Networks that Python holds: live ones, loaded ones and functions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._words import Prompts
from fewshot.plugins.held import HeldSpec, held_spec
from fewshot.plugins.registry import BACKBONES


@dataclass(frozen=True, eq=False)
class HeldBackbone(BackboneSource):
    """A backbone that is loaded already."""

    backbone: Backbone

    def load(self) -> Backbone:
        return self.backbone

    def prompts(self, dataset: str) -> Prompts | None:
        """The templates of its text tower."""
        words = self.backbone.words
        return None if words is None else words.prompts(dataset)


class Called(nn.Module):
    """A function from inputs [b, 3, H, W] to features [b, D], as a network without weights."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.register_buffer("token", torch.frombuffer(bytearray(uuid.uuid4().bytes), dtype=torch.uint8).clone())

    def forward(self, inputs: Tensor) -> Tensor:
        """The features [b, D]."""
        features = self.function(inputs)
        return features if isinstance(features, Tensor) else torch.from_numpy(np.asarray(features, dtype=np.float32))


def held_backbone(backbone: Backbone, name: str) -> HeldSpec:
    """The spec of a loaded backbone, which rows call `name`."""
    declared = {"stands_for_vectors": backbone.given, "has_words": backbone.words is not None}
    return held_spec(BACKBONES, name, HeldBackbone(backbone), backbone.weights_digest, declared)
