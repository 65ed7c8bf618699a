"""The laws of data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from fewshot.conformance.judging import generator_states, remade
from fewshot.datasets import Dataset, GivenVectors, Group, LabelledImages, image_digest, images_digest
from fewshot.files.vectors import vectors_digest
from fewshot.plugins.registry import DATASETS, SPLITS

_MOST_DECODED = 256  # images that a law looks at


@dataclass(frozen=True, eq=False)
class Loads:
    """A data set loaded twice."""

    images: LabelledImages
    again: LabelledImages
    drew: bool  # from a global generator

    @staticmethod
    def of(dataset: Dataset) -> Loads:
        """Loads it; what the data set raises is raised."""
        before = generator_states()
        images, again = dataset.load(), dataset.load()
        return Loads(images, again, generator_states() != before)

    def rows(self) -> list[int]:
        """Some rows from first to last."""
        return [int(row) for row in np.unique(np.linspace(0, len(self.images) - 1, _MOST_DECODED).astype(int))]


def labels_fit(dataset: Dataset, loads: Loads) -> str | None:
    """One integer label an image, at least two classes, and each has an image."""
    labels, n_classes = loads.images.labels, len(loads.images.class_names)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        return f"labels should be integers of shape [n], found {labels.dtype} of shape {list(labels.shape)}"
    empty = np.setdiff1d(np.arange(n_classes), labels)
    if len(empty):
        return f"class {empty[0]} ({loads.images.class_names[empty[0]]!r}) has no image"
    return None if n_classes >= 2 else f"at least 2 classes are needed, found {n_classes}"


def images_are_rgb(dataset: Dataset, loads: Loads) -> str | None:
    """Every image is decoded, when asked for, to an RGB image of Pillow's; vectors in their place are finite."""
    given = loads.images.images
    if isinstance(given, GivenVectors):
        return None if np.isfinite(given.vectors.gather(np.array(loads.rows()))).all() else "vectors should be finite"
    for row in loads.rows():
        image = given[row]
        if not isinstance(image, Image.Image) or image.mode != "RGB" or not min(image.size):
            found = f"{image.mode} of {image.size}" if isinstance(image, Image.Image) else type(image).__name__
            return f"image {row} should be an RGB image of Pillow's, found {found}"
    return None


def two_loads_are_equal(dataset: Dataset, loads: Loads) -> str | None:
    """Labels, names, digest and pixels are the same at every load."""
    a, b = loads.images, loads.again
    if a.images_digest != b.images_digest or a.class_names != b.class_names or not np.array_equal(a.labels, b.labels):
        return "two loads differ in images_digest, class_names or labels"
    for row in loads.rows()[::8]:
        if _digest(a, row) != _digest(b, row):
            return f"image {row} is another when it is loaded again"
    return None


def the_digest_names_the_pixels(dataset: Dataset, loads: Loads) -> str | None:
    """images_digest is that of all decoded images, or of the vectors, in order; asked of up to 2000."""
    images = loads.images
    if len(images) > 2000:
        return None
    if isinstance(images.images, GivenVectors):
        wanted = vectors_digest(images.images.vectors, images.name).hex()
    else:
        wanted = images_digest(image_digest(images.images[row]) for row in range(len(images)))
    if images.images_digest == wanted:
        return None
    return "images_digest is not images_digest(image_digest(image) for every image): other pixels could pass for these"


def groups_name_what_they_group(dataset: Dataset, loads: Loads) -> str | None:
    """Every image and every class has a category of its groups."""
    groups: dict[str, Group] = {**loads.images.image_groups, **loads.images.class_groups}
    for name, group in groups.items():
        if len(group.codes) and not 0 <= group.codes.min() <= group.codes.max() < len(group.names):
            return f"codes of the group {name!r} should be in [0, {len(group.names)})"
        if len(set(group.names)) < len(group.names):
            return f"names of the group {name!r} should differ"
    return None


def the_default_split_fits(dataset: Dataset, loads: Loads) -> str | None:
    """The split that is used when none is given is one of exactly these classes, and two of them are novel."""
    spec = dataset.default_split()
    if spec is None:
        return None
    novel = SPLITS.make(spec).split(loads.images).classes("novel", loads.images)
    return None if len(novel) >= 2 else f"{spec} has {len(novel)} novel classes; episodes need 2"


def nothing_is_drawn(dataset: Dataset, loads: Loads) -> str | None:
    """Loading draws from no global generator."""
    return "a global random generator was drawn from while loading" if loads.drew else None


def spec_round_trip(dataset: Dataset, loads: Loads) -> str | None:
    """The data set can be made again from its repr."""
    return remade(DATASETS, dataset)


LAWS = (
    labels_fit,
    images_are_rgb,
    two_loads_are_equal,
    the_digest_names_the_pixels,
    groups_name_what_they_group,
    the_default_split_fits,
    nothing_is_drawn,
    spec_round_trip,
)


def worlds(dataset: Dataset) -> list[Loads]:
    """The data set, loaded. Missing or unreadable files are the error that `load` raises."""
    return [Loads.of(dataset)]


def _digest(images: LabelledImages, row: int) -> bytes:
    """Names an image, or the vector in its place."""
    if isinstance(images.images, GivenVectors):
        return images.images.vectors.gather(np.array([row])).tobytes()
    return image_digest(images.images[row])
