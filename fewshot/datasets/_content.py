"""Pixels in memory, and the digests of images and of classes: what names a data set's content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_AT_ONCE = 256  # images converted to RGB together


@dataclass(frozen=True)
class ArrayImages:
    """Images in memory: uint8, grey [n, H, W] or RGB [n, H, W, 3]."""

    pixels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, row: int, /) -> Image.Image:
        return Image.fromarray(self.pixels[row]).convert("RGB")

    def digests(self) -> Iterator[bytes]:
        """`image_digest` of every image, five times as fast: the pixels never become a PIL image."""
        height, width = self.pixels.shape[1:3]
        for start in range(0, len(self), _AT_ONCE):
            block = self.pixels[start : start + _AT_ONCE]
            rgb = block if block.ndim == 4 else np.repeat(block[..., None], 3, axis=3)
            yield from (_digest(width, height, pixels.tobytes()) for pixels in rgb)


def classes_digest(class_names: Sequence[str]) -> str:
    """sha256 hex of the sorted class names."""
    return hashlib.sha256("\n".join(sorted(class_names)).encode()).hexdigest()


def image_digest(image: Image.Image) -> bytes:
    """sha256 of the size and pixels of an RGB image, the same for a folder, an archive and an array."""
    return _digest(image.width, image.height, image.tobytes())


def _digest(width: int, height: int, rgb: bytes) -> bytes:
    return hashlib.sha256(f"{width}x{height} ".encode() + rgb).digest()


def images_digest(digests: Iterable[bytes]) -> str:
    """sha256 hex of the digests of images, in order."""
    sha = hashlib.sha256(b"fewshot-images-1")
    for digest in digests:
        sha.update(digest)
    return sha.hexdigest()
