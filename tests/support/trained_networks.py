"""A small network, its data and a short recipe, and the weights that training gives it."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.datasets.partitioned import Partitioned
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.trainer import Trainer
from tests.support.stripes import Stripes

DATA = Partitioned(Stripes(), test=5, validation=3)
NET = ConvNet(width=4, depth=2, image_size=16)
SHORT = CrossEntropy(steps=6, batch_size=16)
TRAINER = Trainer(progress=False)


def trained(source: Pretrained) -> Pretrained:
    """The source, after its training if that was not done before."""
    TRAINER.ready(source)
    return source


def weights(source: Pretrained) -> dict[str, torch.Tensor]:
    """What training the source wrote."""
    return load_file(trained(source).weights)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two networks have the same weights, bit by bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
