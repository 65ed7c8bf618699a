"""A network that has learnt nothing: how much of a score is the architecture alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._timm_network import build, data_config, timm_backbone
from fewshot.plugins.fields import declare, integer


@dataclass(frozen=True)
class RandomInit(BackboneSource):
    """A network of timm with random weights of `seed`: the same in every process, and the global generator is
    left as it was. `pool` as for Timm."""

    short_name: ClassVar[str] = "{name} random init[ @{image_size}]"

    name: str
    seed: int = 0
    image_size: int | None = None
    pool: str | None = None

    rules = declare(image_size=integer(1))

    def load(self) -> Backbone:
        """The network, preprocessed as timm's weights of this name would be."""
        network = build(self.name, self.image_size, seed=self.seed)
        return timm_backbone(self.name, network, data_config(network, self.image_size), self.pool, "nothing")
