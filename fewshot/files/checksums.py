"""Checksums of stored arrays: a reader notices bits that changed on disk.

They detect damage, not a file that somebody rewrote with a new checksum.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Uints = NDArray[np.uint32]


def checksum(arrays: Mapping[str, NDArray[Any]], text: str = "") -> str:
    """8 hex digits (CRC-32) of arrays with their names, types and shapes, and of a text."""
    return checksum_of_parts(
        text, ((name, f"{a.dtype.str} {a.shape}", np.ascontiguousarray(a)) for name, a in sorted(arrays.items()))
    )


def checksum_of_parts(text: str, parts: Iterable[tuple[str, str, NDArray[Any]]]) -> str:
    """8 hex digits of a text and of parts (name, type and shape, bytes), in the given order."""
    total = zlib.crc32(text.encode())
    for name, what, content in parts:
        total = zlib.crc32(f"\0{name}\0{what}\0".encode(), total)
        total = zlib.crc32(content.reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"


def row_sums(values: NDArray[np.float32]) -> Uints:
    """[n] one sum per row of an array [n, D]: the bits of each number as an integer, times an odd number per column,
    modulo 2^32. One changed bit always changes the sum; two different rows share a sum once in 2^32."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    weights = (np.arange(1, bits.shape[1] + 1, dtype=np.uint32) * np.uint32(2654435761)) | np.uint32(1)
    sums: Uints = np.einsum("nd,d->n", bits, weights) + np.uint32(
        1
    )  # a row of zeros has another sum than an empty file
    return sums
