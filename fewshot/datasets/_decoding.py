"""Any picture a user may have, as an upright 8-bit RGB image."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def read_image(path: Path) -> Image.Image:
    """The image of a file, upright and in RGB; an unreadable one is a ValueError that names file and cause."""
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(image)
    except Exception as error:  # Pillow's decoders raise nearly anything on a damaged file, struct.error included
        raise ValueError(f"{path}: {error}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB, 8 bits, upright: EXIF rotation applied, transparency laid on white, 16 bits scaled to 8."""
    image = _upright(image)
    if image.mode.startswith(("I", "F")):
        return _scaled(np.asarray(image)).convert("RGB")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        drawn = image.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        return Image.alpha_composite(white, drawn).convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    """The image itself, turned as its EXIF data says; as it is stored where that data is damaged."""
    with suppress(Exception):  # of many kinds; the picture itself was decoded
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _scaled(values: NDArray[Any]) -> Image.Image:
    """Grey values of more than 8 bits as 8. Black is 0; white is 65535 for integers (255 where 32-bit ones fit it),
    and 1 for floats that fit it, else 255."""
    values = np.nan_to_num(values)
    if values.dtype.kind == "f":
        top = 1.0 if values.max(initial=0.0) <= 1.0 else 255.0
    else:
        top = 65535.0 if values.max(initial=0) > 255 or values.dtype.itemsize == 2 else 255.0
    return Image.fromarray(np.clip(np.rint(values * (255.0 / top)), 0, 255).astype(np.uint8))
