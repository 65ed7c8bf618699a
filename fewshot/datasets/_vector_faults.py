"""Vectors that are probably mistakes: zeros, copies, and one vector for two class names."""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.flat import Ints
from fewshot.files.vectors import Floats, Vectors
from fewshot.plugins.wording import agreeing, counted

_FORMAT = "<8I"
_MIXING = np.uint64(0x9E3779B97F4A7C15)
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class VectorFaults:
    """Counts of suspicious vectors, each with the rows of an example. Vectors of zeros do not count as copies."""

    zeros: int
    first_zero: int
    copies: int  # of an earlier vector of the same class
    original: int
    copy: int
    copies_across: int  # of an earlier vector of another class
    original_across: int
    copy_across: int

    @staticmethod
    def of(vectors: Vectors, labels: Ints) -> VectorFaults:
        """The faults of vectors [n, D] with labels [n]. Two different vectors count as copies once in 2^60 pairs."""
        blocks = [(_sums(block), ~block.any(1)) for _, block in vectors.blocks()]
        sums, zero = (np.concatenate(column) for column in zip(*blocks, strict=True))
        rows = np.flatnonzero(~zero)
        _, first, place = np.unique(sums[rows], return_index=True, return_inverse=True)
        earlier = rows[first][place]  # the first vector equal to each
        within = _example(rows, earlier, labels[rows] == labels[earlier])
        across = _example(rows, earlier, labels[rows] != labels[earlier])
        return VectorFaults(int(zero.sum()), int(zero.argmax()), *within, *across)

    def packed(self) -> bytes:
        """The faults as 32 bytes."""
        return struct.pack(_FORMAT, *astuple(self))

    @staticmethod
    def unpacked(content: bytes) -> VectorFaults:
        """The faults in 32 bytes."""
        return VectorFaults(*struct.unpack(_FORMAT, content))

    def warn(self, n_vectors: int, where: str) -> None:
        """Warns of each kind of fault."""
        if n_vectors > 1 and n_vectors - 1 in (self.copies + self.copies_across, self.zeros - 1):
            _log.warning("%s: all %d vectors are equal, so no evaluator can tell them apart", where, n_vectors)
            return
        if self.zeros:
            what = f"{counted(self.zeros, 'vector')} {agreeing(self.zeros, 'is', 'are')}"
            _log.warning("%s: %s zero, such as row %d; remove failed rows", where, what, self.first_zero)
        if self.copies:
            message = "%s: %s of other vectors of the same class, such as rows %d and %d; remove copies, or one vector "
            message += "may be both support and query"
            _log.warning(message, where, _copies(self.copies), self.original, self.copy)
        if self.copies_across:
            message = "%s: %s of vectors of another class, such as rows %d and %d; correct their labels or remove them"
            _log.warning(message, where, _copies(self.copies_across), self.original_across, self.copy_across)


def warn_of_class_vectors(vectors: NDArray[Any], names: Sequence[str], where: str) -> None:
    """Warns if two classes have the same class vector [C, D], or one has only zeros."""
    _, first, place = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    earlier = first[place.reshape(-1)]
    count, one, other = _example(np.arange(len(vectors)), earlier, np.full(len(vectors), True))
    if count:
        classes = "2 classes have" if count == 1 else f"{count + 1} or more classes have"
        message = "%s: %s the same class vector, such as %r and %r, so class vectors cannot tell them apart"
        _log.warning(message, where, classes, names[one], names[other])
    zero = np.flatnonzero(~vectors.any(1))
    if len(zero):
        _log.warning("%s: the class vector of %r is zero; compute it again", where, names[zero[0]])


def _example(rows: Ints, earlier: Ints, chosen: NDArray[np.bool_]) -> tuple[int, int, int]:
    """The number of chosen rows that equal an earlier one, and the first such pair."""
    copies = np.flatnonzero(chosen & (rows != earlier))
    return (len(copies), int(earlier[copies[0]]), int(rows[copies[0]])) if len(copies) else (0, 0, 0)


def _copies(count: int) -> str:
    return f"{counted(count, 'vector')} {agreeing(count, 'is an exact copy', 'are exact copies')}"


def _sums(block: Floats) -> NDArray[np.uint64]:
    """[m] 64-bit sums of the bits of each row, times a random odd number per column; -0.0 counts as 0.0."""
    bits = np.ascontiguousarray(block + np.float32(0), dtype="<f4").view("<u4").astype(np.uint64) * _MIXING
    bits ^= bits >> np.uint64(32)
    weights = np.random.default_rng(0).integers(0, 1 << 63, size=block.shape[1], dtype=np.uint64) * np.uint64(2)
    sums: NDArray[np.uint64] = (bits * (weights + np.uint64(1))).sum(1, dtype=np.uint64)
    return sums
