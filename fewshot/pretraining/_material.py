"""The images of the seen classes for training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fewshot.datasets import Group, LabelledImages
from fewshot.datasets._digests import named_labels_digest
from fewshot.datasets._subset import subset
from fewshot.episodes import draws, streams
from fewshot.episodes.flat import Ints
from fewshot.plugins.wording import counted
from fewshot.splits import ClassSplit


@dataclass(frozen=True, eq=False)
class Material:
    """Data sets of the trained classes only, with labels 0 to C - 1 in all of them."""

    train: LabelledImages
    validation: LabelledImages | None
    test: LabelledImages | None
    labels_digest: str = ""  # of all images of the data set

    @property
    def n_classes(self) -> int:
        """C, the number of trained classes."""
        return len(self.train.class_names)


def material(images: LabelledImages, split: ClassSplit, n_images: int | None, seed: int) -> Material:
    """The images of the seen classes by partition ("train", "validation", "test"); without partitions, all of them are
    for training."""
    if images.vectors is not None:
        raise ValueError(f"{images.name} holds vectors, not images, so it cannot train a network; choose images")
    classes = split.classes("seen", images)
    if len(classes) < 2:
        raise ValueError(
            f"pre-training needs at least 2 seen classes, but this split of {images.name} has {len(classes)}; "
            "choose another split"
        )
    group = images.image_groups.get("partition")
    parts = group.names if group is not None and "train" in group.names else ()
    train = _of_classes(images, classes, "train" if parts else None)
    chosen = balanced_subset(train, n_images, seed)
    held_out = [_of_classes(images, classes, name) if name in parts else None for name in ("validation", "test")]
    validation, test = (None if part is None or not len(part) else part for part in held_out)
    return Material(chosen, validation, test, named_labels_digest(images))


def balanced_subset(images: LabelledImages, n_images: int | None, seed: int) -> LabelledImages:
    """`n_images` of the images, with classes as equal as possible: sizes differ by more than 1 only if a class has no
    more images. With one seed, a smaller subset is part of every larger one."""
    sizes = np.bincount(images.labels, minlength=len(images.class_names))
    if not sizes.all():
        empty = images.class_names[int(np.argmin(sizes))]
        raise ValueError(f"class {empty!r} of {images.name} has no image to train on; remove it from the split")
    if n_images is None:
        return images
    if not len(sizes) <= n_images <= len(images):
        raise ValueError(
            f"n_images = {n_images:,} is not possible: {images.name} has {counted(len(images), 'image')} of "
            f"{len(sizes):,} seen classes to train on; choose {len(sizes):,} to {len(images):,}"
        )
    words = draws.words(seed, np.arange(len(images)), 1, 1, streams.TRAINED_IMAGES)[:, 0, 0]
    order = np.lexsort((words, images.labels))  # by class, shuffled within each class
    rank = np.empty(len(images), dtype=np.int64)
    rank[order] = np.arange(len(images)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    turns = draws.words(seed, np.arange(len(sizes)), 1, 1, streams.TRAINED_TURNS)[:, 0, 0]  # order of classes per round
    return subset(images, np.sort(np.lexsort((images.labels, turns[images.labels], rank))[:n_images]))


def _of_classes(images: LabelledImages, classes: Ints, partition: str | None) -> LabelledImages:
    """The images of these classes and this partition (None: all), with classes renumbered from 0."""
    held = np.isin(images.labels, classes)
    if partition is not None:
        held &= images.image_groups["partition"].mask(partition)
    place = np.full(len(images.class_names), -1, dtype=np.int64)
    place[classes] = np.arange(len(classes))
    part = subset(images, np.flatnonzero(held))
    return replace(
        part,
        labels=place[part.labels],
        class_names=tuple(images.class_names[label] for label in classes),
        class_groups={name: Group(group.codes[classes], group.names) for name, group in images.class_groups.items()},
        class_vectors=None if images.class_vectors is None else images.class_vectors[classes],
    )
