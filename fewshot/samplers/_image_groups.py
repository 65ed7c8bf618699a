"""Groups of images, such as videos or patients, and the images of a pool by class and group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import Group, LabelledImages, Pool
from fewshot.episodes import draws, streams
from fewshot.episodes.flat import Ints, Rows
from fewshot.files.quoting import first_of, quoted

FOLDER, STEM = "folder", "stem"  # groups that the names of image files give
_NUMBER = re.compile(r"(\d+)\)?(\.\w+)?$")


@dataclass(frozen=True, eq=False)
class GroupedPool:
    """The rows of a pool, sorted by class, then by group. A run is the images of one class and one group."""

    rows: Rows
    start: Ints  # [R + 1] run r is rows[start[r] : start[r + 1]]
    code: Ints  # [R] the group of each run
    label: Ints  # [R] the class of each run
    first: Ints  # [C + 1] class c has the runs first[c] to first[c + 1] - 1

    @staticmethod
    def of(pool: Pool, codes: NDArray[np.integer[Any]]) -> GroupedPool:
        """The images of a pool by the codes [n] of their groups."""
        n_classes = len(pool.start) - 1
        labels, code = np.repeat(np.arange(n_classes), np.diff(pool.start)), codes[pool.rows].astype(np.int64)
        order = np.lexsort((code, labels))
        labels, code = labels[order], code[order]
        begins = np.flatnonzero(np.diff(labels, prepend=-1) | np.diff(code, prepend=-1))
        first = np.searchsorted(labels[begins], np.arange(n_classes + 1))
        return GroupedPool(pool.rows[order], np.append(begins, len(order)), code[begins], labels[begins], first)

    @cached_property
    def size(self) -> Ints:
        """[R] the number of images of each run."""
        return np.diff(self.start)

    def sizes_of(self, label: int) -> Ints:
        """The number of images in each group of a class."""
        return self.size[self.first[label] : self.first[label + 1]]

    def codes_of(self, label: int) -> Ints:
        """The groups of a class."""
        return self.code[self.first[label] : self.first[label + 1]]

    def runs_of(self, classes: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """[E, N, W] the runs of these classes [E, N], and a mask of the valid ones."""
        n_runs = self.first[classes + 1] - self.first[classes]
        place = np.arange(max(1, int(n_runs.max(initial=1))))
        real = place < n_runs[:, :, None]
        return np.where(real, self.first[classes][:, :, None] + place, 0), real


def group_codes(images: LabelledImages, name: str) -> NDArray[np.integer[Any]]:
    """[n] the group of each image: an image group of the data set, "folder" (the folder of its file) or "stem" (the
    path of its file without the number at its end). An unknown name raises a ValueError that lists the known ones."""
    if name in images.image_groups:
        return images.image_groups[name].codes
    known = _KNOWN.setdefault(images, {})
    if name not in known:
        if name not in (FOLDER, STEM) or images.image_names is None:
            names = [*images.image_groups, *((FOLDER, STEM) if images.image_names is not None else ())]
            raise ValueError(f"{images.name} has no image group {quoted(name)}; it has: {first_of(names)}")
        part = folder_of if name == FOLDER else stem_of
        known[name] = Group.of(part(image) for image in images.image_names).codes
    return known[name]


def grouped_pool(images: LabelledImages, pool: Pool, name: str) -> GroupedPool:
    """The images of a pool by class and group; pools of the data set are grouped once."""
    known = _GROUPED.setdefault(pool, {})
    if name not in known:
        known[name] = GroupedPool.of(pool, group_codes(images, name))
    return known[name]


def share_groups(images: LabelledImages, support: Pool, query: Pool, name: str) -> bool:
    """Whether a group has images in both pools."""
    codes = group_codes(images, name)
    return len(np.intersect1d(codes[support.rows], codes[query.rows])) > 0


def folder_of(image: str) -> str:
    """The folder of an image file: "walk/video_3" of "walk/video_3/0007.png"."""
    return image.rpartition("/")[0]


def stem_of(image: str) -> str:
    """The path of an image file without the number at its end: "walk/video_3_" of "walk/video_3_0007.png"."""
    return numbered(image)[0]


def numbered(image: str) -> tuple[str, int | None]:
    """The path of an image file without the number at its end, and the number; None without any."""
    number = _NUMBER.search(image)
    return (image, None) if number is None else (image[: number.start()], int(number[1][-18:]))


_KNOWN: WeakKeyDictionary[LabelledImages, dict[str, NDArray[np.integer[Any]]]] = WeakKeyDictionary()
_GROUPED: WeakKeyDictionary[Pool, dict[str, GroupedPool]] = WeakKeyDictionary()


def pools_of_groups(
    images: LabelledImages, pools: Sequence[Pool], classes: Ints, name: str, seed: int, number: int
) -> list[list[Pool]]:
    """Each pool divided into `number` disjoint parts, a group as a whole: in a random order, a group goes where its
    classes have the fewest groups so far."""
    codes = group_codes(images, name)
    rows = np.concatenate([pool.rows for pool in pools])
    rows = rows[np.isin(images.labels[rows], classes)]
    pairs = np.unique(np.stack([codes[rows].astype(np.int64), images.labels[rows]]), axis=1)
    groups, start = np.unique(pairs[0], return_index=True)
    members = np.split(pairs[1], start[1:])
    order = np.argsort(draws.words_at(seed, np.zeros(1, np.int64), groups[None], 0, streams.POOLS)[0], kind="stable")
    n_groups, part = np.zeros((number, len(images.class_names)), np.int64), np.full(int(codes.max()) + 1, -1)
    for g in order.tolist():
        place = int(n_groups[:, members[g]].sum(1).argmin())
        n_groups[place, members[g]] += 1
        part[groups[g]] = place
    return [[_selected(pool, part[codes[pool.rows]] == place) for place in range(number)] for pool in pools]


def _selected(pool: Pool, selected: NDArray[np.bool_]) -> Pool:
    """The selected rows of a pool."""
    ends = np.concatenate([[0], np.cumsum(selected)])
    return Pool(pool.rows[selected], ends[pool.start])
