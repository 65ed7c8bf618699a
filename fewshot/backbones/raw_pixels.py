"""Pixels as features: what any network has to beat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource, freeze, weights_digest
from fewshot.plugins.fields import declare, integer

_MOST = 512  # pixels; 3000 pixels would be 108 MB per image, 7 GB per batch


@dataclass(frozen=True)
class RawPixels(BackboneSource):
    """Images squashed to image_size x image_size RGB in [0, 1] (bilinear), flattened: D = 3 image_size^2.

    `image_size` is at most 512: 786,432 numbers (3 MB) per image, 200 MB per batch of 64.
    """

    short_name: ClassVar[str] = "raw pixels {image_size}"
    shows_pixels: ClassVar[bool] = True

    image_size: int = 32

    rules = declare(
        image_size=integer(1, _MOST + 1).worded(f"an integer of at least 1 and at most {_MOST} (3 MB per image)")
    )

    def load(self) -> Backbone:
        """A network without weights."""
        digest = hashlib.sha256(f"squash bilinear {self.image_size} /255".encode()).hexdigest()
        return Backbone(
            name="pixels",
            network=freeze(nn.Flatten()),
            preprocess=self._pixels,
            preprocess_digest=digest,
            dim=3 * self.image_size**2,
            n_params=0,
            weights_digest=weights_digest({}),
            pretrained_on="nothing",
        )

    def _pixels(self, image: Image.Image) -> Tensor:
        small = image.convert("RGB").resize((self.image_size, self.image_size), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.asarray(small) / np.float32(255)).permute(2, 0, 1)
