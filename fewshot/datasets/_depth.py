"""Pictures of more than 8 bits: all pictures of a data set with values of one type share one scale.

The scale is the first of [0, 1] (fractions only), [0, 255], [0, 1023], [0, 4095], [0, 16383] and [0, 65535] that holds
the values of all pictures, if they use at least a quarter of it; else it runs from the smallest value to the largest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EIGHT, COLOUR = "8-bit", "16-bit colour"  # Pillow decodes both to 8 bits
DEEP = ("signed 8-bit", "unsigned 16-bit", "signed 16-bit", "signed 32-bit", "unsigned 32-bit", "float")
_WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_QUARTER = 0.25
_SAMPLE_FORMAT, _BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 339, 258, 262, 0  # tags of TIFF
_AT_ONCE = 1 << 20  # values scaled at once


@dataclass(frozen=True)
class Scale:
    """The values that become black (0) and white (255)."""

    black: float
    white: float

    def eight_bit(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """The values as 0 to 255, rounded and clipped; NaN is 0."""
        flat, scaled = values.reshape(-1), np.empty(values.size, np.uint8)
        factor = 255.0 / (self.white - self.black) if self.white > self.black else 0.0
        for start in range(0, flat.size, _AT_ONCE):
            part = np.clip(flat[start : start + _AT_ONCE].astype(np.float64), self.black, self.white)
            scaled[start : start + _AT_ONCE] = np.rint(np.nan_to_num((part - self.black) * factor))
        return scaled.reshape(values.shape)

    def __str__(self) -> str:
        return f"{self.black:.6g} to {self.white:.6g}"


Scales = Mapping[str, Scale]  # by the type of values


def scale_of(kind: str, low: float, high: float) -> Scale:
    """The scale for values of one type from `low` to `high`."""
    whites = [white for white in _WHITES if white >= high and (kind == "float" or white > 1)]
    used = high - low or high  # of one value alone, the usual scale shows how bright it is
    if low >= 0 and whites and used >= _QUARTER * whites[0]:
        return Scale(0.0, whites[0])
    return Scale(low, high)


def scales_of(ranges: Iterable[tuple[str, float, float]]) -> Scales:
    """The scale of every type of more than 8 bits, from the (type, smallest value, largest value) of all pictures."""
    whole: dict[str, tuple[float, float]] = {}
    for kind, low, high in ranges:
        if kind in DEEP:
            before = whole.get(kind, (low, high))
            whole[kind] = min(before[0], low), max(before[1], high)
    return {kind: scale_of(kind, *whole[kind]) for kind in sorted(whole)}


def kind_of(image: Image.Image) -> str:
    """The type of the values in an image that is opened but not loaded yet."""
    tags = getattr(image, "tag_v2", {})
    signed = 2 in tags.get(_SAMPLE_FORMAT, ())
    if image.mode == "F":
        return "float"
    if image.mode.startswith("I;16"):
        return "unsigned 16-bit"
    if image.mode == "I":
        bits = tags.get(_BITS, (32,))[0]
        return f"{'signed' if signed or not tags else 'unsigned'} {bits}-bit"
    if image.mode == "L" and signed:
        return "signed 8-bit"
    return COLOUR if any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())) else EIGHT


def white_is_zero(image: Image.Image) -> bool:
    """Whether an opened TIFF file stores white as 0, which Pillow inverts only for 8 bits and fewer."""
    return bool(getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO)


def values_of(image: Image.Image, kind: str) -> NDArray[Any]:
    """The stored values [H, W] of a loaded image of more than 8 bits."""
    values: NDArray[Any] = np.asarray(image)
    if kind == "unsigned 32-bit":
        values = values.view(np.dtype(np.uint32))  # Pillow has signed ones only
    elif kind == "signed 8-bit":
        values = values.view(np.dtype(np.int8))  # and here unsigned ones
    return values
