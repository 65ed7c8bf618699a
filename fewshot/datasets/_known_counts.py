"""The counts of images, and how they differ from published ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType
from typing import Protocol

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.datasets._partitions import part_of

Counts = Mapping[str, int]  # images by partition (train, val, test), or by "all"
_PARTS = {"seen": "train", "validation": "val", "novel": "test"}
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class Published(Protocol):
    """An edition of a data set, as far as counts compare with it."""

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> int: ...
    @property
    def images(self) -> Counts: ...


def counts_of(images: LabelledImages, names: Mapping[str, str] = _NO_NAMES) -> dict[str, int]:
    """The number of images by partition, or of all without usual partitions. `names` maps partitions of the copy to
    train, val or test."""
    group = images.image_groups.get("partition")
    parts = {} if group is None else {name: names.get(name) or _part(name) for name in group.names}
    if group is None or None in parts.values():
        return {"all": len(images)}
    sizes = np.bincount(group.codes, minlength=len(group.names)).tolist()
    pairs = zip(parts.values(), sizes, strict=True)
    return {part: size for part, size in pairs if part}


def _part(name: str) -> str | None:
    """Train, val or test; "" for images without labels, None for other names."""
    part = part_of(name)
    return "" if part == "unlabeled" else _PARTS.get(part or "")


def difference(n_classes: int, counts: Counts, editions: Sequence[Published], likely: str = "") -> str | None:
    """How counts differ from every edition, as the end of a sentence "this copy ..."; None if one agrees. `likely`: the
    name of the edition to compare with, if there is one of that name; else it is the nearest."""
    wrong, own = [], [each for each in editions if each.name == likely] or editions
    if n_classes not in {each.classes for each in editions}:
        wrong.append(f"has {n_classes:,} classes instead of {own[0].classes:,}")
    if not any(agrees(counts, each.images) for each in editions):
        wrong.append(_words(counts, editions, own))
    return " and ".join(filter(None, wrong)) or None


def names_with(n_classes: int, counts: Counts, editions: Sequence[Published], likely: str = "") -> list[str]:
    """The names of the editions with these counts, the likely one first."""
    names = [each.name for each in editions if n_classes == each.classes and agrees(counts, each.images)]
    return sorted(names, key=lambda name: name != likely)


def agrees(counts: Counts, published: Counts) -> bool:
    """Whether counts are the published ones. A copy without partitions has as many images as all of them; partitions
    may be missing."""
    if "all" in counts:
        return counts["all"] == sum(published.values())
    return all(published.get(part) == size for part, size in counts.items())


def _words(counts: Counts, editions: Sequence[Published], own: Sequence[Published]) -> str:
    """In words how counts differ from the nearest edition; "" for all images in partitions of somebody's own."""
    for each in editions:
        for one, other in _pairs(each.images):
            if agrees(_exchanged(counts, one, other), each.images):
                return f"has {one} and {other} exchanged: {_against(counts, each)}"
    if sum(counts.values()) in (sum(each.images.values()) for each in editions if "all" in each.images):
        return ""
    nearest = min(own, key=lambda each: _distance(counts, each.images))
    return f"has other numbers of images: {_against(counts, nearest)}"


def _pairs(published: Counts) -> Iterable[tuple[str, str]]:
    return combinations([part for part in ("train", "val", "test") if part in published], 2)


def _exchanged(counts: Counts, one: str, other: str) -> dict[str, int]:
    names = {one: other, other: one}
    return {names.get(part, part): size for part, size in counts.items()}


def _distance(counts: Counts, published: Counts) -> tuple[int, int]:
    """How many partitions are missing, and by how many images the others differ."""
    parts = {*counts, *published}
    return len(set(counts) ^ set(published)), sum(abs(counts.get(p, 0) - published.get(p, 0)) for p in parts)


def _against(counts: Counts, each: Published) -> str:
    return f"{shown(counts)}, as published ({each.name}): {shown(each.images)}"


def shown(counts: Counts) -> str:
    """Counts in words: "train 800, val 200, test 6,084", or "5,640 in all"."""
    if set(counts) == {"all"}:
        return f"{counts['all']:,} in all"
    return ", ".join(f"{part} {counts[part]:,}" for part in ("train", "val", "test", "all") if part in counts)
