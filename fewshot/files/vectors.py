"""Vectors by row, in memory or in a file of any size: features of a network, or the user's own vectors.

The reader does not map files into memory: mapped pages count as memory of the process, and the process dies if a
mapped file shrinks.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.files.checksums import Crc
from fewshot.files.stored import StoredArray

_BLOCK_BYTES = 8 << 20  # read at once
Floats = NDArray[np.float32]


class Vectors(ABC):
    """n vectors of D numbers, read as float32: exact for float16, rounded for float64."""

    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dim(self) -> int:
        """D, the numbers per vector."""
        return self.shape[1]

    def gather(self, rows: NDArray[np.integer[Any]]) -> Floats:
        """[..., D] a copy of the vectors of rows [...] in [0, n), read block by block."""
        flat = rows.reshape(-1)
        gathered = np.empty((len(flat), self.dim), dtype=np.float32)
        for start in range(0, len(flat), self.block):
            gathered[start : start + self.block] = self._read(flat[start : start + self.block])
        return gathered.reshape(*rows.shape, self.dim)

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        """The first row and the vectors of every block of a few MiB, in order."""
        for start in range(0, len(self), self.block):
            yield start, self.gather(np.arange(start, min(start + self.block, len(self))))

    @property
    def block(self) -> int:
        """The number of vectors read at once."""
        return max(1, _BLOCK_BYTES // (8 * max(1, self.dim)))

    @abstractmethod
    def _read(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """[m, D] the vectors of rows [m]; the caller casts other dtypes to float32."""


class HeldVectors(Vectors):
    """Vectors in memory: an array [n, D] of numbers, not copied."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.shape = (values.shape[0], values.shape[1])
        self._values = values

    def _read(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        return _finite_cast(self._values[rows])


class StoredVectors(Vectors):
    """Vectors in a file: an array [n, D] of one dtype, row after row from byte `offset` on. The file stays open, so
    replacing it does not change these vectors. A pass over all blocks compares the checksum `crc`, if there is one."""

    def __init__(
        self,
        path: Path,
        offset: int,
        dtype: np.dtype[Any],
        shape: tuple[int, int],
        bfloat16: bool = False,
        crc: Crc | None = None,
    ) -> None:
        self.shape = shape
        self._arguments = (path, offset, dtype, shape, bfloat16, crc)
        self._bfloat16 = bfloat16
        self._stored = StoredArray(os.open(path, os.O_RDONLY), str(path), offset, dtype, shape, crc)

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredVectors, self._arguments

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        start = 0
        for values in self._stored.blocks(self.block):
            yield start, self._cast(values)
            start += len(values)

    def _read(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        unique, place = np.unique(rows, return_inverse=True)
        cast = self._cast(self._stored.take(unique))
        return cast if len(unique) == len(rows) and (place[:-1] < place[1:]).all() else cast[place]

    def _cast(self, values: NDArray[Any]) -> Floats:
        return _of_bfloat16(values) if self._bfloat16 else _finite_cast(values)


def vectors_digest(vectors: Vectors, where: str) -> bytes:
    """sha256 of the vectors as float32, in order. Vectors that are not finite raise a ValueError that begins with
    `where`, counts them and names the first."""
    sha, broken = hashlib.sha256(f"fewshot-vectors-1 {vectors.shape} ".encode()), []
    for start, block in vectors.blocks():
        broken += (start + np.flatnonzero(~np.isfinite(block).all(1))).tolist()
        sha.update(np.ascontiguousarray(block, dtype="<f4").data)
    if broken:
        raise ValueError(
            f"{where}: {len(broken):,} of {len(vectors):,} vectors {'have' if len(broken) > 1 else 'has'} numbers that "
            f"are NaN, infinite or too large for float32, the first in row {broken[0]}; correct or remove these rows"
        )
    return sha.digest()


def _finite_cast(values: NDArray[Any]) -> Floats:
    """The values as float32; too large ones become infinite."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _of_bfloat16(halves: NDArray[np.uint16]) -> Floats:
    """The float32 numbers whose upper halves these are."""
    return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
