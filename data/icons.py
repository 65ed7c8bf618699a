"""Loads the embedded icons; numpy only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import FOLDER
from .greys import GREYS, level_table, unpack_greys

DOMAINS = ("mono", "colour")
LEVELS = {"mono": GREYS, "colour": 32}  # values a pixel (mono) or a channel (colour) can take


class Coded(NamedTuple):
    """A name per image, stored as an index into the names."""

    codes: npt.NDArray[np.int16]  # [n]
    names: tuple[str, ...]


@dataclass(frozen=True)
class IconArrays:
    """One domain of the icons, its n images sorted by (class, id).

    Labels index the full class list, which both domains share: a colour class keeps its mono index.
    """

    pixels: npt.NDArray[np.uint8]  # [n, 48, 48] (mono, black on white) or [n, 48, 48, 3] (RGB)
    labels: npt.NDArray[np.int64]  # [n]
    ids: npt.NDArray[np.str_]  # [n] 'set:icon-name'
    class_names: tuple[str, ...]  # per class
    superclass: tuple[str, ...]  # per class
    orientation_matters: tuple[bool, ...]  # per class: flipped or turned, it means something else
    sets: Coded  # who published the drawing, as Iconify calls the set
    artists: Coded  # who drew it; one artist may have several sets
    images_digest: str  # sha256 of pixels.tobytes(), as icons.json has it


def manifest() -> dict[str, Any]:
    """icons.json: the classes, set and artist names, counts and checksums; reads no image."""
    content: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text(encoding="utf-8"))
    return content


def load(domain: str) -> IconArrays:
    """The decoded images of 'mono' or 'colour'; a new, writable array at each call."""
    if domain not in DOMAINS:
        raise ValueError(f"no icon domain '{domain}'; known are {', '.join(DOMAINS)}")
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
    """The pixels, from the levels that build_icons.pack wrote."""
    if domain == "mono":  # [n, 24, 48]: the upper four bits are the even rows
        return unpack_greys(packed)
    levels = np.ascontiguousarray(packed.transpose(0, 2, 3, 1))  # [n, 3, 48, 48] to [n, 48, 48, 3]
    return level_table(LEVELS[domain])[levels]
