"""Loads the bundled icons; needs numpy only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import FOLDER
from .greys import GREYS, level_table, unpack_greys

DOMAINS = ("mono", "colour")
LEVELS = {"mono": GREYS, "colour": 32}  # possible values of a pixel (mono) or of a channel (colour)


class Coded(NamedTuple):
    """A name per image, stored as an index into the names."""

    codes: npt.NDArray[np.int16]  # [n]
    names: tuple[str, ...]


@dataclass(frozen=True)
class IconArrays:
    """The n images of one domain of the icons, sorted by (class, id).

    Labels index the class list that both domains share, so a class has the same label in mono and colour.
    """

    pixels: npt.NDArray[np.uint8]  # [n, 48, 48] (mono, black on white) or [n, 48, 48, 3] (RGB)
    labels: npt.NDArray[np.int64]  # [n]
    ids: npt.NDArray[np.str_]  # [n] 'set:icon-name'
    class_names: tuple[str, ...]  # per class
    superclass: tuple[str, ...]  # per class
    orientation_matters: tuple[bool, ...]  # per class: whether a flipped or rotated drawing means something else
    sets: Coded  # the set that published the drawing, by its Iconify name
    artists: Coded  # the artist of the drawing, who may have several sets
    images_digest: str  # sha256 of pixels.tobytes(), from icons.json


def manifest() -> dict[str, Any]:
    """The content of icons.json: classes, sets, artists, counts and checksums; this reads no images."""
    content: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text(encoding="utf-8"))
    return content


def load(domain: str) -> IconArrays:
    """The decoded images of 'mono' or 'colour', as a new, writable array at every call."""
    if domain not in DOMAINS:
        raise ValueError(f"unknown icon domain {domain!r}; known: {', '.join(DOMAINS)}")
    listing = manifest()
    classes = listing["classes"]
    with np.load(FOLDER / f"icons_{domain}.npz", allow_pickle=False) as arrays:
        return IconArrays(
            pixels=unpack(arrays["pixels"], domain),
            labels=arrays["label"].astype(np.int64),
            ids=arrays["id"],
            class_names=tuple(entry["id"] for entry in classes),
            superclass=tuple(entry["superclass"] for entry in classes),
            orientation_matters=tuple(entry["orientation_matters"] for entry in classes),
            sets=Coded(arrays["set"], tuple(listing["sets"])),
            artists=Coded(arrays["artist"], tuple(listing["artists"])),
            images_digest=listing["domains"][domain]["images_digest"],
        )


def unpack(packed: npt.NDArray[np.uint8], domain: str) -> npt.NDArray[np.uint8]:
    """The pixels of the levels that build_icons.pack wrote."""
    if domain == "mono":  # [n, 24, 48]: the upper four bits hold the even rows
        return unpack_greys(packed)
    levels = np.ascontiguousarray(packed.transpose(0, 2, 3, 1))  # [n, 3, 48, 48] to [n, 48, 48, 3]
    return level_table(LEVELS[domain])[levels]
