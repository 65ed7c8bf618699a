"""Another data set with some images of every class held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fewshot.datasets import A_DATA_SET, ClassList, Dataset, Group, LabelledImages
from fewshot.episodes import draws, streams
from fewshot.files.quoting import quoted
from fewshot.plugins.fields import SEED, declare, integer

NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Partitioned(Dataset):
    """Another data set with the image group `partition`: per class, `test` images, `validation` other images, and the
    rest for training. The choice depends only on `seed` and on the place of the class in the sorted names.

    Pre-training uses partition=train; early stopping and selection use partition=validation; with
    `support_from='partition=test'`, episodes use images that no such network was trained on, on seen classes too.
    """

    short_name: ClassVar[str] = "{images}"

    images: Dataset
    test: int = 10
    validation: int = 2
    seed: int = 0

    rules = declare(images=A_DATA_SET, test=integer(0), validation=integer(0), seed=SEED)

    def default_split(self) -> str | None:
        return self.images.default_split()

    def class_list(self) -> ClassList | None:
        """The class names of the data set."""
        return self.images.class_list()

    def load(self) -> LabelledImages:
        """The images; a ValueError if a class would have none left to train on."""
        images = self.images.load()
        codes = np.zeros(len(images), dtype=np.int8)
        place = np.argsort(np.argsort(np.asarray(images.class_names)))
        for label, rows in enumerate(images.pool(None).by_class()):
            if len(rows) <= self.test + self.validation:
                raise ValueError(
                    f"Partitioned holds out {self.test} + {self.validation} images of every class, but class "
                    f"{quoted(images.class_names[label])} of {images.name} has {len(rows)}; hold out fewer"
                )
            words = draws.words(self.seed, place[label : label + 1], 1, len(rows), streams.PARTITION)[0, 0]
            order = rows[np.argsort(words, kind="stable")]
            codes[order[: self.test]] = NAMES.index("test")
            codes[order[self.test : self.test + self.validation]] = NAMES.index("validation")
        return replace(images, image_groups={**images.image_groups, "partition": Group(codes, NAMES)})
