"""Grey and colour levels, and two grey pixels per byte in the bundled files; needs numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

GREYS = 16


def level_table(levels: int) -> Pixels:
    """[levels] the brightness 0..255 of each level, evenly spaced."""
    return np.rint(np.linspace(0, 255, levels)).astype(np.uint8)


def quantise(pixels: Pixels, levels: int) -> Pixels:
    """The pixels, rounded to the nearest of the evenly spaced levels; 0 and 255 stay."""
    quantised: Pixels = level_table(levels)[np.rint(pixels * ((levels - 1) / 255)).astype(np.uint8)]
    return quantised


def pack_greys(pixels: Pixels) -> Pixels:
    """[n, H / 2, W] the packed form of [n, H, W] with 16 greys: the upper four bits hold the even row of each pair."""
    levels = np.rint(pixels / 17).astype(np.uint8)
    return (levels[:, 0::2] << 4 | levels[:, 1::2]).astype(np.uint8)


def unpack_greys(packed: Pixels) -> Pixels:
    """[n, H, W] the pixels of the packed form [n, H / 2, W] of `pack_greys`."""
    count, half, width = packed.shape
    levels = np.stack([packed >> 4, packed & 15], axis=2).reshape(count, 2 * half, width)
    return level_table(GREYS)[levels]
