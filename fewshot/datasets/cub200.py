"""CUB-200-2011 (Wah et al. 2011) in the folder of its archive, with its lists.

fewshot run --data CUB_200_2011 --split "Published('cub_100_50_50')" --backbone pixels --evaluator Prototype
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import ClassList, Dataset, Group, LabelledImages
from fewshot.datasets._listed import Entries, Listing
from fewshot.datasets._text_lists import PairList
from fewshot.plugins.folder_names import telling_name

_PARTITIONS = {"1": "train", "0": "test"}


@dataclass(frozen=True)
class Cub200(Dataset):
    """Images listed in images.txt, with the partitions train and test of train_test_split.txt.

    The classes are those of classes.txt, in its order ("001.Black_footed_Albatross"). There is no default split: the
    field uses two, Published('cub_100_50_50') and Published('cub_140_30_30').
    """

    short_name: ClassVar[str] = "[{root:folder}|CUB-200-2011]"
    folder_files: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("images.txt", "image_class_labels.txt", "classes.txt", "train_test_split.txt"),
    )

    root: Path

    def class_list(self) -> ClassList:
        """The class names of the list."""
        return self._listing().class_list

    def load(self) -> LabelledImages:
        """All images in the order of images.txt. A ValueError names an image without a label, class or partition."""
        return self._listing().images()

    def _listing(self) -> Listing:
        root = Path(self.root)
        listed = PairList.read(root / "images.txt", "image path")
        names = PairList.read(root / "classes.txt", "class name").by_first()
        listed.by_first()
        classes = _of_images(listed, PairList.read(root / "image_class_labels.txt", "image class"))
        parts = _of_images(listed, PairList.read(root / "train_test_split.txt", "image is_training"))
        entries = Entries(root, listed.second, listed.places)
        entries.refuse(
            (row for row, one in enumerate(classes) if one not in names), "images have an unknown class", "correct it"
        )
        entries.refuse(
            (row for row, one in enumerate(parts) if one not in _PARTITIONS),
            "values of is_training_image are not 0 or 1",
            "correct it",
        )
        held = set(classes)
        place = {number: row for row, number in enumerate(one for one in names if one in held)}
        labels = np.array([place[number] for number in classes], dtype=np.int64)
        partition = Group.of(_PARTITIONS[part] for part in parts)
        folder = entries.root([root / "images", root])
        class_names = tuple(names[number] for number in place)
        return Listing(telling_name(root.resolve()), entries, folder, labels, class_names, {"partition": partition})


def _of_images(listed: PairList, values: PairList) -> list[str]:
    """The value of each image, by its number; a ValueError if the two lists hold different images."""
    known = values.by_first()
    for number, place in zip(listed.first, listed.places, strict=True):
        if number not in known:
            raise ValueError(
                f"{listed.path.parent / place}: the image {number} is not in {values.path.name}; get both again"
            )
    other = next(iter(set(known) - set(listed.first)), None)
    if other is not None:
        raise ValueError(f"{values.path}: the image {other} is not in {listed.path.name}; get both lists again")
    return [known[number] for number in listed.first]
