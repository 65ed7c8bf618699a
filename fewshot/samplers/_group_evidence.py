"""Evidence that images come in groups: a column named video or patient, or file names that number frames.

Several stems per class, each with several numbers that begin anew and follow each other, are evidence: a_0001.png,
a_0002.png, b_0001.png, b_0002.png, or folders a and b. Plain numbers (0001.png) and one stem per class (cat_001.png)
are none, nor are a few stems without digits that all classes have, such as cameras or sources (IMG_0001.png,
DSC_0001.png).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from posixpath import commonpath
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.samplers._image_groups import FOLDER, STEM, numbered

_SCENES = ("video", "clip", "sequence", "recording", "burst", "track", "session", "scene", "series", "slide", "group")
_PEOPLE = ("patient", "subject", "person", "individual", "specimen", "case", "writer")
_MOST_CLASSES, _MOST_IMAGES = 20, 500  # that are looked at
_FEWEST_SPANNING = 5  # stems that all classes have: fewer are cameras or sources


@dataclass(frozen=True)
class Evidence:
    """The groups that images seem to come in: the name for `apart`, what shows them, and whether most classes have one
    group alone, so that no sampler can keep their groups apart."""

    apart: str
    words: str
    one_per_class: bool = False


def group_evidence(images: LabelledImages) -> Evidence | None:
    """The first evidence of groups: a column, or the names of the files; None without any. Searched once per data
    set."""
    if images not in _KNOWN:
        _KNOWN[images] = _evidence(images)
    return _KNOWN[images]


def _evidence(images: LabelledImages) -> Evidence | None:
    for name, group in images.image_groups.items():
        if _plain(name) in (*_SCENES, *_PEOPLE):
            divided, alone = _classes_by_groups(group.codes, images)
            if divided or alone:
                return Evidence(name, f"the column {name!r} of {images.name} names groups of images", not divided)
    if images.image_names is None or STEM in images.image_groups:
        return None
    stems = _stems_of_classes(images, images.image_names)
    grouped = [each for each in stems if each]
    if 2 * len(grouped) < len(stems) or not grouped:
        return None
    several = len(grouped) > 1 and all(each == grouped[0] for each in grouped)
    if several and len(grouped[0]) < _FEWEST_SPANNING and not any(re.search(r"\d", stem) for stem in grouped[0]):
        return None
    first = " and ".join(f"{stem}..." for stem in sorted(grouped[0])[:2])
    apart = FOLDER if all(stem.endswith("/") for each in grouped for stem in each) else STEM
    return Evidence(apart, f"files of {images.name} are numbered like frames of several videos per class ({first})")


def _plain(name: str) -> str:
    """The name of a column without case, "_id" and plural."""
    return re.sub(r"[\s_-]?(ids?|names?|numbers?)$", "", name.lower()).removesuffix("s")


def _classes_by_groups(codes: NDArray[np.integer[Any]], images: LabelledImages) -> tuple[bool, bool]:
    """Whether most classes hold several groups with several images each, and whether most hold one group alone, which
    no other class has."""
    pairs, counts = np.unique(np.stack([images.labels, codes]), axis=1, return_counts=True)
    n_classes = np.bincount(pairs[1])  # of each group
    several, groups = (
        np.bincount(pairs[0, mask], minlength=len(images.class_names)) for mask in (counts > 1, counts > 0)
    )
    own = np.bincount(pairs[0, (counts > 1) & (n_classes[pairs[1]] == 1)], minlength=len(images.class_names))
    half = len(np.unique(images.labels)) / 2
    return int((several > 1).sum()) >= half > 0, int(((groups == 1) & (own == 1)).sum()) >= half > 0


def _stems_of_classes(images: LabelledImages, names: Sequence[str]) -> list[frozenset[str]]:
    """The stems of some classes that look like videos, without the folder of the class; none for other classes. Each
    class is looked at in its largest partition alone: partitions often number their files anew."""
    pool = images.pool().by_class()
    labels = [label for label, rows in enumerate(pool) if len(rows)]
    some = labels[:: max(1, len(labels) // _MOST_CLASSES)][:_MOST_CLASSES]
    return [
        _video_stems([names[row] for row in _largest_partition(images, pool[label].astype(np.int64))]) for label in some
    ]


def _largest_partition(images: LabelledImages, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Some rows of a class, of the partition that holds most of them."""
    if "partition" in images.image_groups:
        codes = images.image_groups["partition"].codes[rows]
        rows = rows[codes == np.bincount(codes).argmax()]
    return rows[:_MOST_IMAGES]


def _video_stems(names: Sequence[str]) -> frozenset[str]:
    """The stems of a class: several, with most of its images, whose numbers begin anew and follow each other."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for name in names:
        stem, number = numbered(name)
        if number is not None:
            numbers[stem].append(number)
    several = {stem: np.sort(found) for stem, found in numbers.items() if len(found) > 1}
    n_images = sum(map(len, several.values()))
    if len(several) < 2 or 2 * n_images < len(names):
        return frozenset()
    spans = [int(found[-1] - found[0]) // max(1, int(np.gcd.reduce(np.diff(found)))) + 1 for found in several.values()]
    ranges = sorted((int(found[0]), int(found[-1])) for found in several.values())
    anew = any(later[0] <= earlier[1] for earlier, later in pairwise(ranges))
    follow = 2 * n_images >= sum(spans)
    folder = "/".join(commonpath([f"/{name}" for name in names]).split("/")[1:])  # of the class
    return frozenset(stem.removeprefix(folder).lstrip("/") for stem in several) if anew and follow else frozenset()


_KNOWN: WeakKeyDictionary[LabelledImages, Evidence | None] = WeakKeyDictionary()
