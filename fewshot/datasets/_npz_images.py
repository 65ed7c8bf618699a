"""Which arrays of an .npz file are images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fewshot.files.npz import NpzFile

_PARTS = ("train", "val", "valid", "validation", "test")


def image_arrays(names: Iterable[str]) -> dict[str, str]:
    """The names of the arrays of images by partition: `images` alone (partition ""), or `train_images` and others."""
    known = set(names)
    if "images" in known:
        return {"": "images"}
    return {part: f"{part}_images" for part in _PARTS if f"{part}_images" in known}


def holds_images(path: Path) -> bool:
    """Whether an .npz file holds images, by the names of its arrays; False if it cannot be read."""
    try:
        return bool(image_arrays(NpzFile.opened(path, "images").members))
    except ValueError:
        return False
