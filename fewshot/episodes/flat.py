"""Flat arrays that hold runs of different lengths, one after the other; run i is flat[start[i] : start[i + 1]]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Rows = NDArray[np.int32]
MOST_ROWS = 1 << 31  # rows are int32


def starts_of(counts: Rows) -> Ints:
    """[len(counts) + 1] where runs of these lengths begin, and the end of the last one."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def take_runs(flat: NDArray[Any], start: Ints, order: Ints) -> NDArray[Any]:
    """The runs of `flat` at the positions `order`, joined."""
    lengths = np.diff(start)[order]
    shift = start[:-1][order] - (np.cumsum(lengths) - lengths)
    taken: NDArray[Any] = flat[np.repeat(shift, lengths) + np.arange(lengths.sum())]
    return taken
