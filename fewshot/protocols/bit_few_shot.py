"""BiT's few-shot protocol: 1 to 100 images per class and all of them, 5 draws, their median, BiT-HyperRule."""

from __future__ import annotations

from dataclasses import replace

from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, Head
from fewshot.protocols._test_sets import set_of

NEEDS = (
    "Its head fine-tunes the network.",
    "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot.",
)
BENCHMARK = Benchmark(
    name="bit_few_shot",
    version=1,
    title="BiT's few-shot protocol on CIFAR-10, CIFAR-100 and ImageNet, 1/5/10/25/100/all images per class",
    source="Kolesnikov et al. 2020, arXiv 1912.11370",
    licence="each set has its own",
    sets=(
        replace(set_of("imagenet", "its own archives"), name="ilsvrc_2012"),
        set_of("cifar10", "torchvision"),
        set_of("cifar100", "torchvision"),
    ),
    shapes=tuple(EpisodeShape(None, k_shot, None) for k_shot in (1, 5, 10, 25, 100, None)),
    n_episodes=5,
    heads=(Head("Identity()", "BigTransfer()"),),
    draws="median",
    expected=(
        "CIFAR-100, K = 1/5/10/100/500/all (Cherti and Jitsev): 1k R50x1 .229/.446/.504/.551/.759/.759, 21k R152x4 "
        ".416/.708/.754/.830/.886/.885.",
    ),
    deviations=(
        "The images of a draw are fewshot's, nested in K; BiT publishes no lists.",
        "All images are one support: its five draws differ only in the seed of the training.",
        "BatchNorm keeps its statistics; BiT's networks have none.",
    ),
    confirm=("A fine-tuning of every draw needs a GPU; nothing here was run at full size.",),
)
