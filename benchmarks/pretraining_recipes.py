"""Demonstration: cross-entropy against supervised contrastive, episodic and meta-learning pre-training, at equal
compute.

    fewshot bench pretraining_recipes

Every recipe trains one small network on 3200 images of the 257 seen mono icon classes, with two seeds and 25 600 images
through the network. A view of SupervisedContrastive, a support image of an inner step of MAML, and an image that only
updates BatchNorm statistics count like any other image. The runs score held-out images of the 88 new classes, 5-way at
1 and 5 shots: the nearest mean for all recipes, and for MAML and ANIL also the adaptation that they were trained for,
on fewer episodes. All recipes have their default hyperparameters; none is tuned.

1 / 5 shots in %:

    CrossEntropy, Prototype           68.5 / 83.9   2 seeds
    SupervisedContrastive, Prototype  52.2 / 68.8   2 seeds
    Episodic, Prototype               64.5 / 80.0   2 seeds
    ANIL, Prototype                   55.8 / 75.6   2 seeds
    ANIL, ProtoMAML                   56.5 / 77.0   2 seeds
    MAML, Prototype                   50.1 / 71.3   2 seeds
    MAML, ProtoMAML                   50.1 / 22.1   2 seeds

MAML and ANIL were trained for one shot. There a head at the prototypes has almost no loss on its own support, so their
inner steps learn little; with five support images per class, the steps of MAML are then far too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fewshot.benchmarks.data_scaling import DATA, held_out

from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.pretraining import Recipe
from fewshot.pretraining.anil import ANIL
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.episodic import Episodic
from fewshot.pretraining.ladders import seeded
from fewshot.pretraining.maml import MAML
from fewshot.pretraining.supervised_contrastive import SupervisedContrastive
from fewshot.runs.specs import RunSpec

PROTOCOL = "pretraining_recipes@1"
N_IMAGES, PASSES, SEEDS = 3200, 25_600, (0, 1)
RECIPES: tuple[Recipe, ...] = (
    CrossEntropy(steps=PASSES // 64),
    SupervisedContrastive(steps=PASSES // 256),
    Episodic(steps=PASSES // 80),
    ANIL(steps=PASSES // 160),
    MAML(steps=PASSES // 240),
)
ADAPTATION = {"ANIL": "ProtoMAML(steps=5, lr=0.01, body=False)", "MAML": "ProtoMAML(steps=3, lr=0.01)"}
N_EPISODES, N_ADAPTED = 400, 50


def suite() -> Iterator[RunSpec]:
    """The runs, seed by seed."""
    for seed in SEEDS:
        for recipe in RECIPES:
            backbone = seeded(Pretrained(ConvNet(width=8), DATA, recipe), N_IMAGES, seed)
            yield from (scored(backbone, k_shot, "Prototype()", "L2()", N_EPISODES) for k_shot in (1, 5))
            own = ADAPTATION.get(type(recipe).__name__)
            if own is not None:
                yield from (scored(backbone, k_shot, own, "Identity()", N_ADAPTED) for k_shot in (1, 5))


def scored(backbone: Pretrained, k_shot: int, evaluator: str, transform: str, n_episodes: int) -> RunSpec:
    """A run on held-out images of new classes."""
    run = RunSpec(repr(DATA), repr(backbone), evaluator, held_out(k_shot), transform)
    return replace(run, n_episodes=n_episodes, protocol=PROTOCOL)
