"""The images of a data set's spec."""

from __future__ import annotations

from fewshot.datasets import LabelledImages
from fewshot.plugins.spec import Spec


def load_images(dataset: Spec) -> LabelledImages:
    """The images of a data set."""
    images: LabelledImages = dataset.make().load()
    return images
