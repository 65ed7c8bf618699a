"""The glyphs that come with fewshot: one character is one class, one typeface's drawing of it is one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import fewshot.data.glyphs as embedded
from fewshot.datasets import ArrayImages, Dataset, Group, LabelledImages, images_digest


@dataclass(frozen=True)
class Glyphs(Dataset):
    """Characters of ten scripts, black on white, 32 x 32 pixels, drawn with openly licensed typefaces. Groups: typeface
    and family (of typefaces) an image; script and orientation_matters a class."""

    short_name: ClassVar[str] = "glyphs"

    def default_split(self) -> str:
        """Hebrew, Hangul, Katakana and Telugu are novel, Arabic chooses, the rest is seen."""
        return "Committed(name='glyphs')"

    def load(self) -> LabelledImages:
        arrays = embedded.load()
        images = ArrayImages(arrays.pixels)
        families = tuple(sorted(set(arrays.families)))
        family_of_typeface = np.array([families.index(family) for family in arrays.families])
        return LabelledImages(
            name="glyphs",
            images=images,
            labels=arrays.labels,
            class_names=arrays.class_names,
            images_digest=images_digest(images.digests()),
            image_groups={
                "typeface": Group(arrays.typeface_of, arrays.typefaces),
                "family": Group(family_of_typeface[arrays.typeface_of], families),
            },
            class_groups={
                "script": Group.of(arrays.scripts),
                # Turned or mirrored, many a character is another one: d and p, shin and zhe.
                "orientation_matters": Group.of("yes" for _ in arrays.class_names),
            },
        )
