"""Groups of classes: superclasses, scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes import draws, streams
from fewshot.episodes.flat import Ints
from fewshot.files.quoting import first_of, quoted


@dataclass(frozen=True, eq=False)
class ClassGroups:
    """G groups of classes: group g holds members[g, : sizes[g]], ascending."""

    members: Ints  # [G, largest]
    sizes: Ints  # [G]

    @staticmethod
    def of(groups: Sequence[Sequence[int]]) -> ClassGroups:
        """The groups of these labels, each ascending; a class may be in several."""
        sizes = np.array([len(group) for group in groups], dtype=np.int64)
        members = np.zeros((len(sizes), sizes.max(initial=1)), dtype=np.int64)
        for row, group in zip(members, groups, strict=True):
            row[: len(group)] = group
        return ClassGroups(members, sizes)

    def of_at_least(self, least: int, most: int | None = None) -> ClassGroups:
        """The groups with at least `least` and at most `most` classes."""
        enough = (self.sizes >= least) & (self.sizes <= (most or self.sizes))
        return ClassGroups(self.members[enough], self.sizes[enough])

    def draw(self, seed: int, index: Ints, count: int) -> Ints:
        """[E, count] different groups for each episode, uniformly; `count` is at most G."""
        return draws.distinct(seed, index, np.array([[len(self.sizes)]]), count, streams.GROUPS)[:, 0]


def class_groups(images: LabelledImages, classes: Ints, group: str | None) -> ClassGroups:
    """The groups of these classes [C], ascending; None: one group of all. An unknown group raises a ValueError."""
    if group is not None and group not in images.class_groups:
        raise ValueError(f"{images.name} has no class group {quoted(group)}; it has: {first_of(images.class_groups)}")
    codes = np.zeros(len(classes), dtype=np.int64) if group is None else images.class_groups[group].codes[classes]
    return ClassGroups.of([classes[codes == code].tolist() for code in np.unique(codes)])
