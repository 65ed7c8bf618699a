"""Grey and colour levels, and how two grey pixels share a byte in the embedded files; numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

GREYS = 16


def level_table(levels: int) -> Pixels:
    """[levels] the brightness 0..255 of each level, evenly spaced."""
    return np.rint(np.linspace(0, 255, levels)).astype(np.uint8)


def quantise(pixels: Pixels, levels: int) -> Pixels:
    """The pixels at the nearest of the evenly spaced levels; 0 and 255 stay."""
    quantised: Pixels = level_table(levels)[np.rint(pixels * ((levels - 1) / 255)).astype(np.uint8)]
    return quantised


def pack_greys(pixels: Pixels) -> Pixels:
    """[n, H, W] of 16 greys to [n, H / 2, W]: the even row of each pair in the upper four bits."""
    levels = np.rint(pixels / 17).astype(np.uint8)
    return (levels[:, 0::2] << 4 | levels[:, 1::2]).astype(np.uint8)


def unpack_greys(packed: Pixels) -> Pixels:
    """[n, H / 2, W] from `pack_greys` to the pixels [n, H, W]."""
    count, half, width = packed.shape
    levels = np.stack([packed >> 4, packed & 15], axis=2).reshape(count, 2 * half, width)
    return level_table(GREYS)[levels]
