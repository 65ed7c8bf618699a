"""Given vectors: runs no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from PIL import Image
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource, freeze


@dataclass(frozen=True)
class Given(BackboneSource):
    """Replaces the network for a data set of vectors. `name` is their origin, such as "CLIP ViT-B/32", and
    `pretrained_on` its training data; fewshot cannot check either."""

    short_name: ClassVar[str] = "{name}"
    stands_for_vectors: ClassVar[bool] = True

    name: str = "given"
    pretrained_on: str = "unknown"

    def load(self) -> Backbone:
        """A backbone of unknown weights that cannot embed; its `dim` is 0 until `on` sets it."""
        return Backbone(
            name=self.name,
            network=freeze(nn.Identity()),
            preprocess=_no_input,
            preprocess_digest="",
            dim=0,
            n_params=0,
            weights_digest="",
            pretrained_on=self.pretrained_on,
            given=True,
        )


def _no_input(image: Image.Image) -> Tensor:
    raise ValueError("Given embeds no images; choose a network")
