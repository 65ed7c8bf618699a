"""Another data set, with vectors of its class names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.datasets import A_DATA_SET, ClassList, Dataset, LabelledImages
from fewshot.datasets.labelled_vectors import texts
from fewshot.datasets.vector_set import opened
from fewshot.files.quoting import quoted
from fewshot.plugins.fields import declare


@dataclass(frozen=True)
class WithClassVectors(Dataset):
    """A data set of images, with vectors of its class names from a file, for heads that use them.

    The .npz or .safetensors file holds `class_names` [C] and, in the same order, `class_vectors` [C, D], such as the
    output of a text encoder; it may name more classes than the data set has. D must equal the dimension of the
    backbone's features, so use the image encoder that was trained with the text encoder. The content of the file, not
    its name, is part of a run's identity.
    """

    short_name: ClassVar[str] = "{images} with class vectors"

    images: Dataset
    path: Path

    rules = declare(images=A_DATA_SET)

    def default_split(self) -> str | None:
        return self.images.default_split()

    def class_list(self) -> ClassList | None:
        """The class names of the data set."""
        return self.images.class_list()

    def load(self) -> LabelledImages:
        """The images of the data set; a ValueError names a class without a vector."""
        images, path, file = self.images.load(), Path(self.path), opened(Path(self.path))
        missing = [name for name in ("class_names", "class_vectors") if name not in file.names]
        if missing:
            raise ValueError(f"{path} must hold class_names and class_vectors; found {', '.join(file.names[:10])}")
        names, vectors = texts(file.array("class_names")), file.array("class_vectors")
        if names is None or names.ndim != 1 or vectors.ndim != 2 or len(names) != len(vectors):
            raise ValueError(
                f"{path}: class_names must be strings of shape [C] and class_vectors numbers of shape [C, D], "
                f"found {list(file.array('class_names').shape)} and {list(vectors.shape)}"
            )
        if not len(names):
            raise ValueError(f"{path}: class_names is empty; list the name of each class")
        place = {name: row for row, name in enumerate(names.tolist())}
        absent = [name for name in images.class_names if name not in place]
        if absent:
            raise ValueError(
                f"{path} has no vector for {len(absent)} of the {len(images.class_names)} classes of {images.name}, "
                f"such as {quoted(absent[0])}; it names classes such as {quoted(names[0])}"
            )
        return replace(images, class_vectors=vectors[np.array([place[name] for name in images.class_names])])
