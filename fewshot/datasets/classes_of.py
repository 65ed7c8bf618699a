"""Another data set with the classes of a published split alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fewshot.datasets import A_DATA_SET, Dataset, Group, LabelledImages
from fewshot.datasets._published_classes import matched, published_split
from fewshot.datasets._subset import subset
from fewshot.plugins.fields import declare


@dataclass(frozen=True)
class ClassesOf(Dataset):
    """The images of another data set whose classes a published split lists, such as the 100 classes of mini-ImageNet in
    ImageNet: ClassesOf('mini_imagenet', ImageFolderSet('imagenet/train')). The split is the default split."""

    short_name: ClassVar[str] = "{images}"

    split_name: str
    images: Dataset

    rules = declare(images=A_DATA_SET)

    def default_split(self) -> str | None:
        return f"Published({self.split_name!r})"

    def load(self) -> LabelledImages:
        """The images; a ValueError if the data set has none of these classes."""
        whole = self.images.load()
        published = published_split(self.split_name)
        wanted = set(matched(published.classes, whole.class_names).values())
        if not wanted:
            raise ValueError(
                f"{whole.name} has no class of {published.name}; that split has classes such as "
                f"{published.classes[0]!r}, and the data set {whole.class_names[0]!r}"
            )
        kept = np.flatnonzero([name in wanted for name in whole.class_names])
        return _with_classes(whole, kept)


def _with_classes(whole: LabelledImages, kept: np.ndarray) -> LabelledImages:
    """The images of these classes [k], with a digest of their own."""
    rows = np.flatnonzero(np.isin(whole.labels, kept))
    part = subset(whole, rows)
    return replace(
        part,
        labels=np.searchsorted(kept, part.labels),
        class_names=tuple(whole.class_names[label] for label in kept),
        class_groups={name: Group(group.codes[kept], group.names) for name, group in whole.class_groups.items()},
        class_vectors=None if whole.class_vectors is None else whole.class_vectors[kept],
        images_digest=hashlib.sha256(f"{whole.images_digest}:{rows.tolist()}".encode()).hexdigest(),
    )
