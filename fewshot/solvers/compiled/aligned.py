"""Arrays aligned to cache lines: reading a vector of 512 bits across the border of two lines takes twice as long, and
numpy guarantees only 16 bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled

_LINE = 64  # bytes


def aligned_zeros(n: int, width: int) -> NDArray[np.float64]:
    """[n, width] zeros in float64, aligned as `zeros` are, but made by Python."""
    spare = _LINE // 8
    room = np.zeros(n * width + spare)
    start = (-room.ctypes.data // 8) % spare
    return room[start : start + n * width].reshape(n, width)


@compiled
def zeros(n: int, width: int, like: NDArray[Any]) -> NDArray[Any]:
    """[n, width] zeros of the type of `like`, aligned to a cache line; every row is, if `width` is a multiple of 64
    bytes."""
    room = empty(n, width, like)
    room[:, :] = 0.0
    return room


@compiled
def empty(n: int, width: int, like: NDArray[Any]) -> NDArray[Any]:
    """As `zeros`, uninitialised."""
    spare = _LINE // like.itemsize
    room = np.empty(n * width + spare, like.dtype)
    start = (-room.ctypes.data // like.itemsize) % spare
    return room[start : start + n * width].reshape(n, width)
