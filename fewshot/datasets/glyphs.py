"""The bundled glyphs: a class is a character, an image is that character in one typeface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import fewshot.data.glyphs as bundled
from fewshot.datasets import ArrayImages, Dataset, Group, LabelledImages, images_digest


@dataclass(frozen=True)
class Glyphs(Dataset):
    """Characters of ten scripts, black on white, 32 x 32 pixels, in openly licensed typefaces. Image groups: typeface,
    family (of typefaces). Class groups: script, orientation_matters."""

    short_name: ClassVar[str] = "glyphs"
    is_bundled: ClassVar[bool] = True

    def default_split(self) -> str:
        """Novel: Hebrew, Hangul, Katakana and Telugu. Validation: Arabic. Seen: all others."""
        return "Committed(name='glyphs')"

    def load(self) -> LabelledImages:
        arrays = bundled.load()
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
                # Rotated or mirrored, many characters become others: d and p, shin and zhe.
                "orientation_matters": Group.of("yes" for _ in arrays.class_names),
            },
        )
