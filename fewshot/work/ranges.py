"""Ranges of the rows of a table: how tasks divide its images, and sorted rows as JSON.

The ranges follow from the rows alone, so tasks have the same names for any number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.features.embedding import canonical_batches
from fewshot.features.settings import BATCH

_RANGES = 64  # of a table, at most, unless they are larger than the largest
_LEAST_IMAGES, _MOST_IMAGES = 512, 16384  # of a range


def images_per_range(n_images: int) -> int:
    """The number of images that one task embeds, of so many."""
    whole = -(-n_images // (_RANGES * BATCH)) * BATCH
    return min(max(whole, _LEAST_IMAGES), _MOST_IMAGES)


def divided(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows, divided between the batches in which one process would embed them: no division makes more batches."""
    batches, size = canonical_batches(rows), images_per_range(len(rows)) // BATCH
    parts = (batches[start : start + size] for start in range(0, len(batches), size))
    return [np.sort(part[part >= 0]) for part in parts]


def to_runs(rows: NDArray[np.integer]) -> list[list[int]]:
    """Sorted rows as [start, stop) pairs."""
    ends = np.flatnonzero(np.diff(rows) != 1)
    starts = rows[np.concatenate([[0], ends + 1])] if len(rows) else rows
    stops = rows[np.concatenate([ends, [len(rows) - 1]])] + 1 if len(rows) else rows
    return [[int(start), int(stop)] for start, stop in zip(starts, stops, strict=True)]


def from_runs(runs: Sequence[Sequence[int]], n_images: int) -> NDArray[np.int64]:
    """The rows of [start, stop) pairs; a ValueError unless they are rows of so many images, sorted and apart."""
    flat = [end for run in runs for end in run]
    plain = all(type(end) is int and 0 <= end <= n_images for end in flat) and all(len(run) == 2 for run in runs)
    if not plain or flat != sorted(set(flat)):
        raise ValueError(f"rows of a task are sorted ranges [start, stop) of {n_images:,} images; found {runs!r:.80}")
    return np.concatenate([np.arange(*run, dtype=np.int64) for run in runs]) if runs else np.zeros(0, np.int64)
