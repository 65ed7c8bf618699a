"""Near and far transfer over the network's size and the source's size, after Cherti and Jitsev (2021); a
demonstration.

    fewshot bench near_and_far

Two sources (icons in black on white, glyphs) x two numbers of their images (400, 4800) x two small networks x three
seeds; targets are new classes of the same set, of the icons in colour, of the other set, and of FashionMNIST where it
is installed, at 1 and 5 shots by the nearest mean. Gains are paired by seed: large over small network, many over few
images. How far a target is from a source says, by one fixed network that is not scored,

    fewshot distance --source Icons --source Glyphs --target Icons --target "Icons('colour')" --target Glyphs \\
        --target "TorchvisionSet('FashionMNIST')" --json > far.json
    fewshot study gains benchmarks/results/near_and_far.jsonl --distances far.json

Twelve times the images, 5 shots, smaller network, by distance (MMD^2), in points with a 95 % t interval over seeds:

    source       target (MMD^2), gain
    icons mono   icons mono (.01) 45.6 [36.4, 54.7]; glyphs (.05) 31.8 [22.7, 41.0];
                 icons colour (.11) 44.8 [41.1, 48.5]; FashionMNIST (.21) 10.2 [6.7, 13.6]
    glyphs       glyphs (.01) 32.5 [7.1, 57.9]; icons mono (.06) 39.4 [21.5, 57.2];
                 icons colour (.18) 34.4 [31.9, 37.0]; FashionMNIST (.23) 7.1 [-7.6, 21.8]

Glyphs leave no more to gain: 98 % are right. A network with four times the weights brings .4 to 4.2 points after 4800
images (four of eight intervals are above zero), and nothing that three seeds can tell from zero after 400.

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
from fewshot.episodes.episodes import EpisodeShape
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
    """New classes of a target."""
    sampler = f"Balanced({target.images_from!r}, {target.images_from!r})"
    episodes = Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=5), sampler=sampler)
    run = RunSpec(target.dataset, repr(backbone), "Prototype()", episodes, "L2()", split=target.split)
    return replace(run, n_episodes=N_EPISODES, protocol=PROTOCOL)
