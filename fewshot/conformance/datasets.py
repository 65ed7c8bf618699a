"""The laws of data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from fewshot.conformance.judging import generator_states, repr_problem
from fewshot.datasets import Dataset, GivenVectors, Group, LabelledImages, image_digest, images_digest
from fewshot.files.vectors import vectors_digest
from fewshot.plugins.registry import DATASETS, SPLITS

_MOST_DECODED = 256  # images per law


@dataclass(frozen=True, eq=False)
class Loads:
    """A data set loaded twice."""

    images: LabelledImages
    again: LabelledImages
    used_global_generator: bool  # while loading

    @staticmethod
    def of(dataset: Dataset) -> Loads:
        """The data set, loaded twice; errors of the data set pass through."""
        before = generator_states()
        images, again = dataset.load(), dataset.load()
        return Loads(images, again, generator_states() != before)

    def rows(self) -> list[int]:
        """Up to 256 rows, evenly spaced from first to last."""
        return [int(row) for row in np.unique(np.linspace(0, len(self.images) - 1, _MOST_DECODED).astype(int))]


def labels_fit(dataset: Dataset, loads: Loads) -> str | None:
    """Every image has an integer label, there are at least 2 classes, and each has an image."""
    labels, n_classes = loads.images.labels, len(loads.images.class_names)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        return f"labels should be integers of shape [n], found {labels.dtype} of shape {list(labels.shape)}"
    empty = np.setdiff1d(np.arange(n_classes), labels)
    if len(empty):
        return f"class {empty[0]} ({loads.images.class_names[empty[0]]!r}) has no image"
    return None if n_classes >= 2 else f"a data set needs at least 2 classes, found {n_classes}"


def images_are_rgb(dataset: Dataset, loads: Loads) -> str | None:
    """Every image decodes to an RGB image of Pillow; vectors in place of images are finite."""
    given = loads.images.images
    if isinstance(given, GivenVectors):
        return None if np.isfinite(given.vectors.gather(np.array(loads.rows()))).all() else "vectors should be finite"
    for row in loads.rows():
        image = given[row]
        if not isinstance(image, Image.Image) or image.mode != "RGB" or not min(image.size):
            found = f"{image.mode} of {image.size}" if isinstance(image, Image.Image) else type(image).__name__
            return f"image {row} should be an RGB image of Pillow, found {found}"
    return None


def two_loads_are_equal(dataset: Dataset, loads: Loads) -> str | None:
    """Labels, names, digest and pixels are the same at every load."""
    a, b = loads.images, loads.again
    if a.images_digest != b.images_digest or a.class_names != b.class_names or not np.array_equal(a.labels, b.labels):
        return "two loads differ in images_digest, class_names or labels"
    for row in loads.rows()[::8]:
        if _digest(a, row) != _digest(b, row):
            return f"image {row} differs between two loads"
    return None


def the_digest_names_the_pixels(dataset: Dataset, loads: Loads) -> str | None:
    """images_digest is the digest of all decoded images, or of the vectors, in order (tested up to 2,000 images)."""
    images = loads.images
    if len(images) > 2000:
        return None
    if isinstance(images.images, GivenVectors):
        wanted = vectors_digest(images.images.vectors, images.name).hex()
    else:
        wanted = images_digest(image_digest(images.images[row]) for row in range(len(images)))
    if images.images_digest == wanted:
        return None
    return "images_digest is not images_digest(image_digest(image) for every image), so it does not name these pixels"


def groups_name_what_they_group(dataset: Dataset, loads: Loads) -> str | None:
    """Every image and every class has a named category in each group."""
    groups: dict[str, Group] = {**loads.images.image_groups, **loads.images.class_groups}
    for name, group in groups.items():
        if len(group.codes) and not 0 <= group.codes.min() <= group.codes.max() < len(group.names):
            return f"codes of the group {name!r} should be in [0, {len(group.names)})"
        if len(set(group.names)) < len(group.names):
            return f"names of the group {name!r} should differ"
    return None


def the_class_list_is_that_of_the_images(dataset: Dataset, loads: Loads) -> str | None:
    """The name and the class names that are known before loading are those of the images."""
    listed = dataset.class_list()
    if listed is None or (listed.name, listed.class_names) == (loads.images.name, loads.images.class_names):
        return None
    return f"class_list should be that of {loads.images.name} with its class names, found {listed!r:.200}"


def the_default_split_fits(dataset: Dataset, loads: Loads) -> str | None:
    """The default split has exactly the classes of the data set, and at least 2 novel classes."""
    spec = dataset.default_split()
    if spec is None:
        return None
    novel = SPLITS.make(spec).split(loads.images).classes("novel", loads.images)
    return None if len(novel) >= 2 else f"episodes need at least 2 novel classes; {spec} has {len(novel)}"


def loading_uses_no_global_generator(dataset: Dataset, loads: Loads) -> str | None:
    """Loading uses no global random generator."""
    if loads.used_global_generator:
        return "loading uses a global random generator; use a generator of its own with a fixed seed"
    return None


def spec_round_trip(dataset: Dataset, loads: Loads) -> str | None:
    """The repr of the data set creates an equal data set."""
    return repr_problem(DATASETS, dataset)


LAWS = (
    labels_fit,
    images_are_rgb,
    two_loads_are_equal,
    the_digest_names_the_pixels,
    groups_name_what_they_group,
    the_class_list_is_that_of_the_images,
    the_default_split_fits,
    loading_uses_no_global_generator,
    spec_round_trip,
)


def worlds(dataset: Dataset) -> list[Loads]:
    """The data set, loaded twice. Missing or unreadable files raise the error of `load`."""
    return [Loads.of(dataset)]


def _digest(images: LabelledImages, row: int) -> bytes:
    """Bytes that identify an image, or the vector in its place."""
    if isinstance(images.images, GivenVectors):
        return images.images.vectors.gather(np.array([row])).tobytes()
    return image_digest(images.images[row])
