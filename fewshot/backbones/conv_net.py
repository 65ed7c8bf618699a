"""A small convolutional network, for small pictures and small training sets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._timm_network import as_backbone, data_config
from fewshot.plugins.fields import declare, integer, one_of, refused

NORMS = ("batch", "group")
_GROUPS = 8  # of GroupNorm; fewer if there are fewer channels


@dataclass(frozen=True)
class ConvNet(BackboneSource):
    """`depth` blocks of a 3 x 3 convolution, a norm, ReLU and 2 x 2 max-pooling, then the mean over space; random
    weights of `seed`, by torch's default initialisation.

    The block of "Conv-4" (Vinyals et al. 2016, arXiv 1606.04080). Differences: channels double from block to block
    (`width`, 2 width, 4 width, ...), so that all blocks cost about the same; features are the mean over space, so
    D = width * 2^(depth - 1) at any image size. `norm`: "batch", or "group", which has no running statistics.
    """

    short_name: ClassVar[str] = "conv net {width} x {depth}"

    width: int = 16
    depth: int = 4
    image_size: int = 32
    norm: str = "batch"
    seed: int = 0

    rules = declare(
        width=integer(1),
        depth=integer(1, below=11).worded("an integer in 1..10"),
        image_size=integer(1),
        norm=one_of(NORMS),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size < 2**self.depth:
            raise refused(self, "image_size", f"at least {2**self.depth} pixels, halved {self.depth} times")

    def load(self) -> Backbone:
        """The network. Images are resized by their shorter side, cropped to a square, and normalised with ImageNet's
        mean and deviation, like timm networks without their own preprocessing."""
        network = _build(self.width, self.depth, self.norm, self.seed)
        label = f"conv net {self.width} x {self.depth}{'' if self.norm == 'batch' else ' group norm'}"
        return as_backbone(label, network, data_config(network, self.image_size, crop_pct=1.0), "nothing")


class SpatialMean(nn.Module):
    """[b, C, H, W] to [b, C]."""

    def forward(self, x: Tensor) -> Tensor:
        """The mean over H and W."""
        return x.mean((2, 3))


def _block(channels_in: int, channels: int, norm: str) -> nn.Sequential:
    """A block that halves the size."""
    normalise = nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(math.gcd(_GROUPS, channels), channels)
    convolution = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, normalise, nn.ReLU(), nn.MaxPool2d(2))


def _build(width: int, depth: int, norm: str, seed: int) -> nn.Sequential:
    channels = [3, *(width * 2**i for i in range(depth))]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        blocks = [_block(channels[i], channels[i + 1], norm) for i in range(depth)]
    return nn.Sequential(*blocks, SpatialMean())
