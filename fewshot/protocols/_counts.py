"""Copies whose counts are not those of the published data set."""

from __future__ import annotations

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.protocols import Benchmark
from fewshot.protocols._places import Copy


def check_counts(benchmark: Benchmark, copy: Copy, images: LabelledImages) -> None:
    """Raises a ValueError that names the copy if it has other counts of classes or images than the published set."""
    faults = _faults(copy, images)
    if faults:
        raise ValueError(
            f"{copy.place.below} is not the published {copy.of.name}: {'; '.join(faults)}; {benchmark.name} needs the "
            f"copy from {copy.of.get}"
        )


def _faults(copy: Copy, images: LabelledImages) -> list[str]:
    """Each count that differs, and which partitions seem to be exchanged."""
    counts, sizes = copy.of.counts, _partitions(images)
    named = {"train": copy.place.train, "test": copy.place.test}
    expected = {named.get(part, part): number for part, number in counts.partitions}
    pairs = [
        ("classes", counts.classes, len(np.unique(images.labels))),
        ("images", counts.images, len(images)),
        *((f"images in {part}", number, sizes.get(part, 0)) for part, number in expected.items()),
    ]
    wrong = [
        f"{held:,} {what} instead of {number:,}"
        for what, number, held in pairs
        if number is not None and held != number
    ]
    exchanged = [
        f"{one} and {other} are exchanged"
        for one in expected
        for other in expected
        if one < other and expected[one] != expected[other]
        if (sizes.get(one), sizes.get(other)) == (expected[other], expected[one])
    ]
    return wrong + exchanged


def _partitions(images: LabelledImages) -> dict[str, int]:
    """The number of images in each partition."""
    group = images.image_groups.get("partition")
    if group is None:
        return {}
    return dict(zip(group.names, np.bincount(group.codes, minlength=len(group.names)).tolist(), strict=True))
