"""Loads the bundled glyphs; needs numpy only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import FOLDER
from .greys import unpack_greys


@dataclass(frozen=True)
class GlyphArrays:
    """The n images of the glyphs, sorted by (class, typeface)."""

    pixels: npt.NDArray[np.uint8]  # [n, 32, 32], black on white
    labels: npt.NDArray[np.int64]  # [n]
    ids: npt.NDArray[np.str_]  # [n] 'typeface:U+0041'
    class_names: tuple[str, ...]  # per class, such as 'latin/capital-a'
    characters: tuple[str, ...]  # per class
    scripts: tuple[str, ...]  # per class
    typeface_of: npt.NDArray[np.int16]  # [n] into typefaces and families
    typefaces: tuple[str, ...]  # PostScript names
    families: tuple[str, ...]  # per typeface; weights and slants of one design share a family
    images_digest: str  # sha256 of pixels.tobytes(), from glyphs.json


def manifest() -> dict[str, Any]:
    """The content of glyphs.json: classes, typefaces, packages, counts and checksums; this reads no images."""
    content: dict[str, Any] = json.loads((FOLDER / "glyphs.json").read_text(encoding="utf-8"))
    return content


def load() -> GlyphArrays:
    """The decoded images, as a new, writable array at every call."""
    listing = manifest()
    classes, typefaces = listing["classes"], listing["typefaces"]
    with np.load(FOLDER / "glyphs.npz", allow_pickle=False) as arrays:
        labels, typeface_of = arrays["label"].astype(np.int64), arrays["typeface"]
        pixels = unpack_greys(arrays["pixels"])
    names = tuple(entry["name"] for entry in typefaces)
    return GlyphArrays(
        pixels=pixels,
        labels=labels,
        ids=np.array(
            [
                f"{names[face]}:U+{ord(classes[label]['character']):04X}"
                for label, face in zip(labels.tolist(), typeface_of.tolist(), strict=True)
            ]
        ),
        class_names=tuple(entry["id"] for entry in classes),
        characters=tuple(entry["character"] for entry in classes),
        scripts=tuple(entry["script"] for entry in classes),
        typeface_of=typeface_of,
        typefaces=names,
        families=tuple(entry["family"] for entry in typefaces),
        images_digest=listing["images_digest"],
    )
