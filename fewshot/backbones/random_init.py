"""An untrained network: shows how much of a score is due to the architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._timm_network import build, check_name, data_config, timm_backbone
from fewshot.plugins.fields import declare, integer


@dataclass(frozen=True)
class RandomInit(BackboneSource):
    """A timm network with random weights of `seed`, the same in every process. Does not change the global generator.
    `pool` as for Timm."""

    short_name: ClassVar[str] = "{name} random init[ @{image_size}]"
    is_timm_network: ClassVar[bool] = True
    is_untrained: ClassVar[bool] = True

    name: str
    seed: int = 0
    image_size: int | None = None
    pool: str | None = None

    rules = declare(image_size=integer(1))

    def check(self) -> None:
        """Raises a ValueError for an unknown name."""
        check_name(self.name)

    def load(self) -> Backbone:
        """The network, with the preprocessing of timm's weights of this name."""
        network = build(self.name, self.image_size, seed=self.seed)
        return timm_backbone(self.name, network, data_config(network, self.image_size), self.pool, "nothing")
