"""Ladders: one training at several amounts of images or classes, or sizes of the network, everything else equal.

A seed moves the subset of images or classes, the network's start and the order of training together. Subsets are
nested: the images (classes) of a rung are among those of the next rung of the same seed.
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
    """The training of so many images under a seed; a start with a seed of its own, drawn at random, gets it too. A
    start that was trained before is the one of this seed."""
    return replace(source, network=_started(source.network, seed), n_images=n_images, seed=seed)


def data_ladder(source: Pretrained, sizes: Sequence[int], seeds: Sequence[int]) -> list[Pretrained]:
    """More images of the same classes: every size under every seed."""
    return [seeded(source, n_images, seed) for seed in seeds for n_images in sizes]


def class_ladder(
    source: Pretrained, counts: Sequence[int], seeds: Sequence[int], n_images: int | None = None, per_class: int = 0
) -> list[Pretrained]:
    """More classes: with `per_class` images of each, or `n_images` in all, divided among more and more of them. Score
    them on classes that every rung has: the seen ones of `narrowed(source, min(counts), seed)`."""
    if (n_images is None) == (per_class < 1):
        raise ValueError("a ladder of classes has per_class images of each class, or n_images in all; give one of them")
    rungs = []
    for seed in seeds:
        for count in counts:
            total = per_class * count if n_images is None else n_images
            rungs.append(replace(seeded(source, total, seed), split=narrowed(source, count, seed)))
    return rungs


def narrowed(source: Pretrained, n_classes: int, seed: int) -> Narrowed:
    """The split of a training with so many of its seen classes."""
    inner = source.split or source.data.default_split()
    if inner is None:
        raise ValueError(f"{source.data!r} has no split of its own; give Pretrained one")
    return Narrowed(SPLITS.make(inner), n_classes, seed)


def network_ladder(
    source: Pretrained, networks: Sequence[BackboneSource], sizes: Sequence[int | None], seeds: Sequence[int]
) -> list[Pretrained]:
    """Other networks, such as ConvNets of several widths or depths, at every number of images, under every seed."""
    return [
        seeded(replace(source, network=network), n_images, seed)
        for seed in seeds
        for network in networks
        for n_images in sizes
    ]


def _started(network: BackboneSource, seed: int) -> BackboneSource:
    if isinstance(network, Pretrained):
        return seeded(network, network.n_images, seed)
    fields = {field.name for field in dataclasses.fields(network)}  # type: ignore[arg-type]
    return replace(network, seed=seed) if "seed" in fields else network  # type: ignore[type-var]
