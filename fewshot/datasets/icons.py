"""The bundled icons: a class is a concept, an image is one artist's drawing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

import fewshot.data.icons as bundled
from fewshot.datasets import ArrayImages, Dataset, Group, LabelledImages, images_digest
from fewshot.episodes.flat import Ints
from fewshot.plugins.fields import declare, one_of

DOMAINS = ("mono", "colour", "both")


@dataclass(frozen=True)
class Icons(Dataset):
    """Drawings of 48 x 48 pixels from openly licensed icon sets: "mono" (black on white), "colour", or "both" (classes
    that have both). Image groups: domain, set, artist. Class groups: superclass, orientation_matters."""

    short_name: ClassVar[str] = "icons {domain}"
    is_bundled: ClassVar[bool] = True

    domain: str = "mono"

    rules = declare(domain=one_of(DOMAINS))

    def default_split(self) -> str:
        """Novel: animal, food, vehicle and leisure. Validation: nature. Seen: all others."""
        return f"Committed(name='icons_{self.domain}')"

    def load(self) -> LabelledImages:
        parts = [bundled.load(d) for d in (("mono", "colour") if self.domain == "both" else (self.domain,))]
        kept = _classes_of_all(parts)
        rows = [np.flatnonzero(np.isin(part.labels, kept)) for part in parts]
        arrays = [ArrayImages(part.pixels[r]) for part, r in zip(parts, rows, strict=True)]
        labels = np.concatenate([part.labels[r] for part, r in zip(parts, rows, strict=True)])
        return LabelledImages(
            name=f"icons {self.domain}",
            images=_Joined(arrays),
            labels=np.searchsorted(kept, labels),
            class_names=tuple(parts[0].class_names[c] for c in kept),
            images_digest=images_digest(digest for part in arrays for digest in part.digests()),
            image_groups=_image_groups(parts, rows, self.domain),
            class_groups={
                "superclass": Group.of(parts[0].superclass[c] for c in kept),
                "orientation_matters": Group.of("yes" if parts[0].orientation_matters[c] else "no" for c in kept),
            },
        )


@dataclass(frozen=True)
class _Joined:
    parts: list[ArrayImages]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __getitem__(self, row: int, /) -> Image.Image:
        for part in self.parts:
            if row < len(part):
                return part[row]
            row -= len(part)
        raise IndexError(row)


def _classes_of_all(parts: list[bundled.IconArrays]) -> Ints:
    """The classes with images in every part, ascending."""
    held = [set(part.labels.tolist()) for part in parts]
    return np.array(sorted(set.intersection(*held)))


def _image_groups(parts: list[bundled.IconArrays], rows: list[Ints], domain: str) -> dict[str, Group]:
    """Domain, set and artist of every image; all parts share one list of names."""
    domains = ("mono", "colour") if domain == "both" else (domain,)
    groups = {"domain": Group.of(d for d, r in zip(domains, rows, strict=True) for _ in r)}
    for name, field in (("set", "sets"), ("artist", "artists")):
        codes = [getattr(part, field).codes[r] for part, r in zip(parts, rows, strict=True)]
        groups[name] = Group(np.concatenate(codes), getattr(parts[0], field).names)
    return groups
