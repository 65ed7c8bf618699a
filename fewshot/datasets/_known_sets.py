"""The counts of well-known data sets, and what differs in a copy of one.

data/known_sets.json lists for each set its usual names, its number of classes, the images per partition in each usual
copy (that of its publisher, CoOp's, VTAB's, ...), and where its publisher offers it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from fewshot.data import FOLDER
from fewshot.datasets import LabelledImages
from fewshot.datasets._partitions import part_of
from fewshot.datasets._published_classes import matched, published_split

_PARTS = {"seen": "train", "validation": "val", "novel": "test"}
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class KnownSet:
    """A well-known data set: the numbers of classes of its copies, and the images per partition of each copy."""

    title: str
    names: tuple[str, ...]
    classes: tuple[int, ...]
    copies: Mapping[str, Mapping[str, int]]
    source: str
    split: str | None = None  # the published split that lists its classes, or some of them
    md5: Mapping[str, str] | None = None  # of its files, by image size


@cache
def known_sets() -> tuple[KnownSet, ...]:
    """All well-known data sets."""
    content = json.loads((FOLDER / "known_sets.json").read_text(encoding="utf-8"))
    return tuple(
        KnownSet(**{**entry, "names": tuple(entry["names"]), "classes": tuple(entry["classes"])})
        for entry in content.values()
    )


def warn_known(images: LabelledImages) -> None:
    """Warns if images have the name and the classes of a well-known data set, but not its counts."""
    known = recognised(images)
    difference = None if known is None else difference_of(images, known)
    if known is not None and difference:
        _log.warning(
            "%s: this copy of %s %s; published numbers may not apply; its publisher is %s",
            images.name,
            known.title,
            difference,
            known.source,
        )


def recognised(images: LabelledImages, sets: Sequence[KnownSet] | None = None) -> KnownSet | None:
    """The well-known data set with the name of these images and with half of its classes; None if there is none."""
    name = _plain(images.name)
    for known in known_sets() if sets is None else sets:
        if name in map(_plain, known.names) and _has_its_classes(images, known):
            return known
    return None


def _has_its_classes(images: LabelledImages, known: KnownSet) -> bool:
    most = max(known.classes)
    if not most <= 2 * len(images.class_names) <= 3 * most:
        return False
    if known.split is None or all(name.isdecimal() for name in images.class_names):
        return True
    listed = published_split(known.split).classes
    return 2 * len(matched(listed, images.class_names)) >= min(len(listed), len(images.class_names))


def difference_of(images: LabelledImages, known: KnownSet) -> str | None:
    """What differs from every published copy, as the end of a sentence "this copy ..."; None if nothing does."""
    counts = _counts(images)
    wrong = []
    if len(images.class_names) not in known.classes:
        wrong.append(f"has {len(images.class_names):,} classes instead of {known.classes[0]:,}")
    if not any(_agrees(counts, copy) for copy in known.copies.values()):
        wrong.append(_words(counts, known))
    return " and ".join(filter(None, wrong)) or None


def _words(counts: Mapping[str, int], known: KnownSet) -> str:
    """In words how counts differ from the nearest copy; "" for all images in partitions of somebody's own."""
    for title, copy in known.copies.items():
        for one, other in (("train", "test"), ("train", "val"), ("val", "test")):
            if {one, other} <= set(copy) and _agrees(_exchanged(counts, one, other), copy):
                return f"has {one} and {other} exchanged: {_shown(counts)}, as published ({title}): {_shown(copy)}"
    if sum(counts.values()) in (sum(copy.values()) for copy in known.copies.values() if "all" in copy):
        return ""
    title, copy = min(known.copies.items(), key=lambda item: _distance(counts, item[1]))
    return f"has other numbers of images: {_shown(counts)}, as published ({title}): {_shown(copy)}"


def _counts(images: LabelledImages) -> dict[str, int]:
    """The number of images by partition, or of all without usual partitions."""
    group = images.image_groups.get("partition")
    if group is None or not {part_of(name) for name in group.names} <= {*_PARTS, "unlabeled"}:
        return {"all": len(images)}
    sizes = np.bincount(group.codes, minlength=len(group.names)).tolist()
    parts = [(_PARTS.get(part_of(name) or ""), size) for name, size in zip(group.names, sizes, strict=True)]
    return {part: size for part, size in parts if part is not None}


def _agrees(counts: Mapping[str, int], copy: Mapping[str, int]) -> bool:
    if "all" in counts:
        return counts["all"] == sum(copy.values())
    return all(copy.get(part) == size for part, size in counts.items())


def _exchanged(counts: Mapping[str, int], one: str, other: str) -> dict[str, int]:
    names = {one: other, other: one}
    return {names.get(part, part): size for part, size in counts.items()}


def _distance(counts: Mapping[str, int], copy: Mapping[str, int]) -> tuple[int, int]:
    """How many partitions are missing, and by how many images the others differ."""
    return len(set(counts) ^ set(copy)), sum(abs(counts.get(part, 0) - copy.get(part, 0)) for part in {*counts, *copy})


def _shown(counts: Mapping[str, int]) -> str:
    if set(counts) == {"all"}:
        return f"{counts['all']:,} in all"
    return ", ".join(f"{part} {counts[part]:,}" for part in ("train", "val", "test", "all") if part in counts)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
