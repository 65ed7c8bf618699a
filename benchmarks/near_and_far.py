"""Near and far transfer over the network's size and the source's size, after Cherti and Jitsev (2021); a
demonstration.

    fewshot bench near_and_far

Two sources (icons in black on white, glyphs) x two numbers of their images (400, 4800) x two small networks x three
seeds; targets are new classes of the same set, of the icons in colour, of the other set, and of FashionMNIST where it
is installed, at 1 and 5 shots by the nearest mean. Gains are paired by seed: large over small network, many over few
images. How far a target is from a source says, by one fixed network that is not scored,

    fewshot distance --source Icons --source Glyphs --target Icons --target "Icons('colour')" --target Glyphs

Three seeds of training give intervals of gains that are wide, and eight pairs a trend over distance that is
descriptive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from fewshot.benchmarks.adaptation_laws import TARGETS, Target
from fewshot.benchmarks.data_scaling import BY_EPOCHS, SEEDS

from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.datasets import Dataset
from fewshot.datasets.glyphs import Glyphs
from fewshot.datasets.icons import Icons
from fewshot.episodes import EpisodeShape
from fewshot.pretraining.ladders import seeded
from fewshot.specs import RunSpec, Sampled

PROTOCOL = "near_and_far@1"
SOURCES: tuple[Dataset, ...] = (Icons("mono"), Glyphs())
SIZES, WIDTHS, SHOTS = (400, 4800), (8, 16), (1, 5)
N_EPISODES = 200


def suite() -> Iterator[RunSpec]:
    """The runs, seed by seed."""
    for seed, source, n_images, width in product(SEEDS, SOURCES, SIZES, WIDTHS):
        backbone = seeded(Pretrained(ConvNet(width=width), source, BY_EPOCHS), n_images, seed)
        for target, k_shot in product(TARGETS, SHOTS):
            yield scored(backbone, target, k_shot)


def scored(backbone: Pretrained, target: Target, k_shot: int) -> RunSpec:
    """New classes of a target."""
    sampler = f"Balanced({target.images_from!r}, {target.images_from!r})"
    episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=5), sampler=sampler)
    run = RunSpec(target.dataset, repr(backbone), "Prototype()", episodes, "L2()", split=target.split)
    return replace(run, n_episodes=N_EPISODES, protocol=PROTOCOL)
