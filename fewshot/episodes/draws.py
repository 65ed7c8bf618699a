"""Random integers that are a function of (seed, index, slot, draw) alone, for any shard, order or machine.

Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") in plain
numpy over arrays of counters; a test compares it with the known answers of Random123. numpy's own generators would
not do, because their methods may change between versions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_COMPARED_DRAWS = 128  # above this, shuffling real arrays beats comparing every pair of draws
_SHUFFLED_CELLS = 1 << 22  # 16 MiB of int32 at a time


def philox(counter: tuple[NDArray[np.uint64], ...], key: tuple[int, int]) -> tuple[NDArray[np.uint64], ...]:
    """Four arrays of uniform 32-bit words (held in uint64) for four broadcastable arrays of counter words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0 = c0 * _MULTIPLIERS[0]
        p1 = c2 * _MULTIPLIERS[1]
        c0 = (p1 >> _SHIFT) ^ c1 ^ np.uint64(k0)
        c2 = (p0 >> _SHIFT) ^ c3 ^ np.uint64(k1)
        c1, c3 = p1 & _LOW, p0 & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def words(seed: int, index: NDArray[np.int64], n_slots: int, n_draws: int, stream: int) -> NDArray[np.uint64]:
    """Uniform 32-bit words [E, n_slots, n_draws]. Word (e, s, d) does not depend on the array's shape."""
    key = _key(seed, index)
    blocks = -(-n_draws // 4)
    counter = (
        index.astype(np.uint64)[:, None, None],
        np.arange(n_slots, dtype=np.uint64)[None, :, None],
        np.arange(blocks, dtype=np.uint64)[None, None, :],
        np.asarray(stream, dtype=np.uint64)[None, None, None],
    )
    drawn = philox(counter, key)
    stacked = np.stack(np.broadcast_arrays(*drawn), axis=-1)  # [E, slots, blocks, 4]
    return stacked.reshape(len(index), n_slots, blocks * 4)[:, :, :n_draws]


def words_at(
    seed: int, index: NDArray[np.int64], slots: NDArray[np.int64], block: int, stream: int
) -> NDArray[np.uint64]:
    """Uniform 32-bit words [E, ...], one for each of these slots [E, ...] of an episode: the first of a block."""
    key, at = _key(seed, index), index.astype(np.uint64).reshape(-1, *[1] * (slots.ndim - 1))
    return philox((at, slots.astype(np.uint64), np.array(block, np.uint64), np.array(stream, np.uint64)), key)[0]


def _key(seed: int, index: NDArray[np.int64]) -> tuple[int, int]:
    """The key of a seed; a seed or an index out of range raises a ValueError."""
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must be in [0, 2^64), got {seed}")
    if len(index) and not 0 <= index.min() <= index.max() < 1 << 32:
        raise ValueError(f"an episode's index must be in [0, 2^32), got {index.min()} to {index.max()}")
    return seed & 0xFFFFFFFF, seed >> 32


def distinct(
    seed: int, index: NDArray[np.int64], sizes: NDArray[np.int64], n_draws: int, stream: int
) -> NDArray[np.int64]:
    """Draws without replacement: [E, slots, n_draws] distinct integers in [0, sizes[e, s]).

    A virtual Fisher-Yates shuffle: draw t is uniform over the integers that draws 0..t-1 left, so a longer draw
    starts with the shorter one. Integers come from multiply-shift; their bias is below sizes / 2^32. `sizes` is
    [E, slots] or broadcasts to it. If a size is below `n_draws`, its first draws are right and the others meaningless.
    """
    sizes = np.broadcast_to(sizes, (len(index), np.shape(sizes)[-1]))
    step = np.arange(n_draws, dtype=np.int64)
    left = np.maximum(sizes[:, :, None] - step, 1)
    uniform = words(seed, index, sizes.shape[1], n_draws, stream)
    position = step + ((uniform * left.astype(np.uint64)) >> _SHIFT).astype(np.int64)  # where draw t looks
    if n_draws <= _COMPARED_DRAWS:
        return _resolve_by_comparing(position)
    return _resolve_by_shuffling(position, sizes)


def _resolve_by_comparing(position: NDArray[np.int64]) -> NDArray[np.int64]:
    """The item at each position when it is drawn; swap s moved the item of place s to position[s]."""
    columns = np.ascontiguousarray(np.moveaxis(position, 2, 0))  # [T, E, slots]
    for t in range(len(columns) - 1, 0, -1):
        item = columns[t]
        for s in range(t - 1, -1, -1):
            item = np.where(item == columns[s], s, item)
        columns[t] = item
    return np.moveaxis(columns, 0, 2)


def _resolve_by_shuffling(position: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same by shuffling arrays of a bounded size, which are reset for the next episodes."""
    flat = position.reshape(-1, position.shape[2])
    result = np.empty_like(flat)
    width = max(int(sizes.max(initial=0)), flat.shape[1])
    at_once = min(len(flat), max(1, _SHUFFLED_CELLS // width))
    items = np.tile(np.arange(width, dtype=np.int32), (at_once, 1))
    for start in range(0, len(flat), max(1, at_once)):
        part = flat[start : start + at_once]
        row = np.arange(len(part))
        for t in range(part.shape[1]):
            result[start : start + at_once, t] = items[row, part[:, t]]
            items[row, part[:, t]] = items[row, t]
        items[row[:, None], part] = part
    return result.reshape(position.shape)
