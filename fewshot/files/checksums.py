"""Checksums of files that fewshot reads back: a bit that changed on a disk is noticed before it changes a number.

They guard against damage, not against a person who rewrites a file with a new checksum.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Uints = NDArray[np.uint32]


@dataclass(frozen=True)
class Crc:
    """The checksum (CRC-32) of an array in a file that another program wrote."""

    start: int  # of the header before the array, which the checksum covers too
    expected: int

    def update(self, content: bytes, total: int) -> int:
        """The checksum of everything up to `content`, from that of everything before it."""
        return zlib.crc32(content, total)

    def check(self, total: int, name: str) -> None:
        """Raises a ValueError about the file `name` if this is not the checksum in the file."""
        if total != self.expected:
            raise ValueError(
                f"{name} is damaged: the checksum (CRC-32) of an array is {total:08x}, but the file was written with "
                f"{self.expected:08x}; copy the file again, or write it again with np.savez"
            )


def checksum(arrays: Mapping[str, NDArray[Any]], text: str = "") -> str:
    """8 hex digits (CRC-32) over arrays with their names, types and shapes, and over a text."""
    return checksum_of_parts(
        text, ((name, f"{a.dtype.str} {a.shape}", np.ascontiguousarray(a)) for name, a in sorted(arrays.items()))
    )


def checksum_of_parts(text: str, parts: Iterable[tuple[str, str, NDArray[Any]]]) -> str:
    """8 hex digits over a text, then over each (name, type and shape, content), in the given order."""
    total = zlib.crc32(text.encode())
    for name, what, content in parts:
        total = zlib.crc32(f"\0{name}\0{what}\0".encode(), total)
        total = zlib.crc32(content.reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"


def with_checksum(content: bytes, key: bytes) -> bytes:
    """The content with 4 bytes of checksum at its end, over the key that it is stored under and the content."""
    return content + _crc(content, key)


def checked_content(stored: bytes, key: bytes) -> bytes | None:
    """The content that `with_checksum` stored under a key; None if its bits, or those of the key, changed since."""
    content, end = stored[:-4], stored[-4:]
    return content if end == _crc(content, key) else None


def _crc(content: bytes, key: bytes) -> bytes:
    return zlib.crc32(content, zlib.crc32(key)).to_bytes(4, "little")


def row_sums(values: NDArray[np.float32]) -> Uints:
    """[n] the checksum of each row [n, D] of float32 numbers: the sum, modulo 2^32, of its bits as integers, each times
    an odd number that depends on its place. One changed bit always changes it; other changes go unnoticed once in 2^32.
    """
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    weights = (np.arange(1, bits.shape[1] + 1, dtype=np.uint32) * np.uint32(2654435761)) | np.uint32(1)
    sums: Uints = np.einsum("nd,d->n", bits, weights) + np.uint32(
        1
    )  # a row of zeros has another sum than an empty file
    return sums
