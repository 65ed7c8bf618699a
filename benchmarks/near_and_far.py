"""Demonstration: near and far transfer over the sizes of the network and of the source, after Cherti and Jitsev (2021).

    fewshot bench near_and_far

The suite trains two small networks on two sources (mono icons, glyphs) with 400 or 4800 images and three seeds. Targets
are new classes of the same set, of the colour icons, of the other set, and of FashionMNIST if it is installed, at 1 and
5 shots with the nearest mean. Gains are paired by seed: large network minus small, many images minus few. One fixed
network, which is not scored, measures the distance between sources and targets:

    fewshot distance --source Icons --source Glyphs --target Icons --target "Icons('colour')" --target Glyphs \\
        --target "TorchvisionSet('FashionMNIST')" --json > far.json
    fewshot study gains benchmarks/results/near_and_far.jsonl --distances far.json

Gain from twelve times the images, 5 shots, smaller network, by distance (MMD^2), in points with a 95 % t interval over
seeds:

    source       target (MMD^2), gain
    icons mono   icons mono (.01) 45.6 [36.4, 54.7]; glyphs (.05) 31.8 [22.7, 41.0];
                 icons colour (.11) 44.8 [41.1, 48.5]; FashionMNIST (.21) 10.2 [6.7, 13.6]
    glyphs       glyphs (.01) 32.5 [7.1, 57.9]; icons mono (.06) 39.4 [21.5, 57.2];
                 icons colour (.18) 34.4 [31.9, 37.0]; FashionMNIST (.23) 7.1 [-7.6, 21.8]

Glyphs have nothing left to gain: 98 % of the answers are right. A network with four times the weights gains .4 to 4.2
points after 4800 images (four of eight intervals are above zero); after 400 images three seeds cannot distinguish its
gain from zero.

Three training seeds give wide intervals, and a trend over distance from eight pairs is only descriptive.
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
from fewshot.episodes.shape import EpisodeShape
from fewshot.pretraining.ladders import seeded
from fewshot.runs.specs import RunSpec, Sampled

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
    """A run on the new classes of a target."""
    sampler = f"Balanced({target.images_from!r}, {target.images_from!r})"
    episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=5), sampler=sampler)
    run = RunSpec(target.dataset, repr(backbone), "Prototype()", episodes, "L2()", split=target.split)
    return replace(run, n_episodes=N_EPISODES, protocol=PROTOCOL)
