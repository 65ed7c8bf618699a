"""Another data set with the classes of a published split alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fewshot.datasets import A_DATA_SET, ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._published_classes import matched, published_split
from fewshot.datasets._subset import subset
from fewshot.files.quoting import quoted
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

    def class_list(self) -> ClassList | None:
        """The class names of the split, as the data set writes them."""
        whole = self.images.class_list()
        return None if whole is None else ClassList(whole.name, self._names(whole))

    def load(self) -> LabelledImages:
        """The images; a ValueError, if possible before any is opened, if the data set has none of these classes."""
        self.class_list()
        whole = self.images.load()
        wanted = set(self._names(ClassList(whole.name, whole.class_names)))
        return _with_classes(whole, np.flatnonzero([name in wanted for name in whole.class_names]))

    def _names(self, whole: ClassList) -> tuple[str, ...]:
        """The class names of a data set that the split lists."""
        published = published_split(self.split_name)
        wanted = set(matched(published.classes, whole.class_names).values())
        if not wanted:
            raise ValueError(
                f"{whole.name} has no class of {published.name}; that split has classes such as "
                f"{quoted(published.classes[0])}, and the data set {quoted(whole.class_names[0])}"
            )
        return tuple(name for name in whole.class_names if name in wanted)


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
