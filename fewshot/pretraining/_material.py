"""Which images of the seen classes are trained on, and which are held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fewshot.datasets import Group, LabelledImages
from fewshot.datasets._digests import labels_digest
from fewshot.datasets._subset import subset
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Ints
from fewshot.splits import ClassSplit


@dataclass(frozen=True, eq=False)
class Material:
    """Data sets of the trained classes alone, labels 0 to C - 1 in all of them."""

    train: LabelledImages
    validation: LabelledImages | None
    test: LabelledImages | None
    labels_digest: str = ""  # of all images of the data set

    @property
    def n_classes(self) -> int:
        """C."""
        return len(self.train.class_names)


def material(images: LabelledImages, split: ClassSplit, n_images: int | None, seed: int) -> Material:
    """The seen classes' images by partition ("train", "validation", "test"); without partitions all are trained on."""
    if images.vectors is not None:
        raise ValueError(f"{images.name} holds vectors, no pictures, so no network can be trained on it")
    classes = split.classes("seen", images)
    if len(classes) < 2:
        raise ValueError(f"pre-training needs at least 2 seen classes; this split of {images.name} has {len(classes)}")
    group = images.image_groups.get("partition")
    parts = group.names if group is not None and "train" in group.names else ()
    train = _of_classes(images, classes, "train" if parts else None)
    chosen = balanced_subset(train, n_images, seed)
    held_out = [_of_classes(images, classes, name) if name in parts else None for name in ("validation", "test")]
    validation, test = (None if part is None or not len(part) else part for part in held_out)
    return Material(chosen, validation, test, labels_digest(images))


def balanced_subset(images: LabelledImages, n_images: int | None, seed: int) -> LabelledImages:
    """So many of the images, classes as equal as they can be: sizes differ by more than one only where a class has no
    more. Those of a smaller number are among those of a larger one of the same seed."""
    sizes = np.bincount(images.labels, minlength=len(images.class_names))
    if not sizes.all():
        empty = images.class_names[int(np.argmin(sizes))]
        raise ValueError(f"class {empty!r} of {images.name} has no image to train on; leave it out of the split")
    if n_images is None:
        return images
    if not len(sizes) <= n_images <= len(images):
        raise ValueError(
            f"n_images = {n_images} was asked for, but {images.name} has {len(images)} images of {len(sizes)} seen "
            f"classes to train on; choose {len(sizes)} to {len(images)}"
        )
    words = draws.words(seed, np.arange(len(images)), 1, 1, streams.TRAINED_IMAGES)[:, 0, 0]
    order = np.lexsort((words, images.labels))  # by class, shuffled inside it
    rank = np.empty(len(images), dtype=np.int64)
    rank[order] = np.arange(len(images)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    turns = draws.words(seed, np.arange(len(sizes)), 1, 1, streams.TRAINED_TURNS)[:, 0, 0]  # of classes, in a round
    return subset(images, np.sort(np.lexsort((images.labels, turns[images.labels], rank))[:n_images]))


def _of_classes(images: LabelledImages, classes: Ints, partition: str | None) -> LabelledImages:
    """The images of these classes and this partition, classes numbered anew."""
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
