"""The images of a data set's spec."""

from __future__ import annotations

from fewshot.datasets import LabelledImages
from fewshot.datasets._known_sets import report_known
from fewshot.plugins.spec import Spec, specs_in


def read_images(dataset: Spec) -> LabelledImages:
    """The images of a data set whose counts are checked elsewhere."""
    images: LabelledImages = dataset.make().load()
    return images


def load_images(dataset: Spec) -> LabelledImages:
    """The images of a data set. The log names the edition of a well-known data set, or warns of other counts, pixels or
    checksums."""
    images = read_images(dataset)
    if not any(True for value in dataset.fields.values() for _ in specs_in(value)):  # those choose among the images
        report_known(images, str(dataset.declares("edition") or ""), dataset.fields.get("path"))
    return images
