"""Ladders: one training at several numbers of images, numbers of classes or network sizes, with all else equal.

A seed fixes the subset of images or classes, the initial weights and the order of training. Subsets are nested: each
rung contains the images (classes) of the rung below with the same seed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace

from fewshot.backbones import BackboneSource
from fewshot.backbones.pretrained import Pretrained
from fewshot.plugins.registry import SPLITS
from fewshot.splits.narrowed import Narrowed


def seeded(source: Pretrained, n_images: int | None, seed: int) -> Pretrained:
    """The training with `n_images` images and this seed. Random initial weights get the same seed; a pre-trained start
    is the training with the same seed."""
    return replace(source, network=_seeded_start(source.network, seed), n_images=n_images, seed=seed)


def data_ladder(source: Pretrained, sizes: Sequence[int], seeds: Sequence[int]) -> list[Pretrained]:
    """Trainings with more and more images of the same classes: every size with every seed."""
    return [seeded(source, n_images, seed) for seed in seeds for n_images in sizes]


def class_ladder(
    source: Pretrained, counts: Sequence[int], seeds: Sequence[int], n_images: int | None = None, per_class: int = 0
) -> list[Pretrained]:
    """Trainings with more and more classes, of `per_class` images each or of `n_images` images in total.

    Score them on classes that every rung was trained on: the seen classes of `narrowed(source, min(counts), seed)`.
    """
    if (n_images is None) == (per_class < 1):
        raise ValueError("a class ladder has per_class images of each class, or n_images in total; give one of the two")
    rungs = []
    for seed in seeds:
        for count in counts:
            total = per_class * count if n_images is None else n_images
            rungs.append(replace(seeded(source, total, seed), split=narrowed(source, count, seed)))
    return rungs


def narrowed(source: Pretrained, n_classes: int, seed: int) -> Narrowed:
    """The split of a training, narrowed to `n_classes` of its seen classes."""
    inner = source.split or source.data.default_split()
    if inner is None:
        raise ValueError(f"{source.data!r} has no default split; give Pretrained one, such as split=BySeed()")
    return Narrowed(SPLITS.make(inner), n_classes, seed)


def network_ladder(
    source: Pretrained, networks: Sequence[BackboneSource], sizes: Sequence[int | None], seeds: Sequence[int]
) -> list[Pretrained]:
    """Trainings of several networks (such as ConvNets of several widths) with every number of images and every seed."""
    return [
        seeded(replace(source, network=network), n_images, seed)
        for seed in seeds
        for network in networks
        for n_images in sizes
    ]


def _seeded_start(network: BackboneSource, seed: int) -> BackboneSource:
    if isinstance(network, Pretrained):
        return seeded(network, network.n_images, seed)
    fields = {field.name for field in dataclasses.fields(network)}  # type: ignore[arg-type]
    return replace(network, seed=seed) if "seed" in fields else network  # type: ignore[type-var]
