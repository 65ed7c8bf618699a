"""Weighted sums of the support, and inner products of queries with an episode's vectors: reads every row once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled, compiled_part
from fewshot.solvers.compiled.aligned import zeros
from fewshot.solvers.compiled.matrices import Floats

Either = NDArray[np.float32] | NDArray[np.float64]  # sums have the type of their terms


@compiled_part
def four_products(block: Either, vector: Either, out: Either, first: int, k: int) -> None:
    """out[first + i, k] = <block[i], vector> for up to four rows: they share each load of the vector."""
    q0, q1, q2, q3 = block[0], block[1], block[2], block[3]
    s0 = s1 = s2 = s3 = block.dtype.type(0)
    for d in range(len(vector)):
        v = vector[d]
        s0 += q0[d] * v
        s1 += q1[d] * v
        s2 += q2[d] * v
        s3 += q3[d] * v
    sums = (s0, s1, s2, s3)
    for i in range(min(4, len(out) - first)):
        out[first + i, k] = sums[i]


@compiled_part
def eight_products(block: Either, one: Either, other: Either, out: Either, first: int, k: int) -> None:
    """As `four_products` for the vectors k and k + 1, which share each load of a row."""
    q0, q1, q2, q3 = block[0], block[1], block[2], block[3]
    s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = block.dtype.type(0)
    for d in range(len(one)):
        v, w = one[d], other[d]
        s0 += q0[d] * v
        t0 += q0[d] * w
        s1 += q1[d] * v
        t1 += q1[d] * w
        s2 += q2[d] * v
        t2 += q2[d] * w
        s3 += q3[d] * v
        t3 += q3[d] * w
    sums, others = (s0, s1, s2, s3), (t0, t1, t2, t3)
    for i in range(min(4, len(out) - first)):
        out[first + i, k], out[first + i, k + 1] = sums[i], others[i]


@compiled_part
def products(block: Either, vectors: Either, n: int, out: Either, first: int) -> None:
    """out[first + i, k] = <block[i], vectors[k]> for up to four rows and the first n vectors, two at a time. An
    odd last one is paired with the one before it again: the same order of summation lets equal vectors tie."""
    for k in range(0, n - 1, 2):
        eight_products(block, vectors[k], vectors[k + 1], out, first, k)
    if n == 1:
        four_products(block, vectors[0], out, first, 0)
    elif n % 2:
        eight_products(block, vectors[n - 2], vectors[n - 1], out, first, n - 2)


@compiled_part
def shifted(vector: NDArray[Any], shift: Either, out: Either) -> float:
    """The squared length of out = vector - shift, in the type of `out`."""
    total = out.dtype.type(0)
    for d in range(len(out)):
        out[d] = vector[d] - shift[d]
        total += out[d] * out[d]
    return float(total)


@compiled
def inner_products(
    first: int, last: int, query: NDArray[Any], shift: Floats, vectors: Floats, out: Floats, squares: Floats
) -> None:
    """out [B, m, N] = <query - shift, vectors> and squares [B, m] = |query - shift|^2 in float64, for episodes
    [first, last) of query [B, m, D], shift [B, D] and vectors [B, N, D]."""
    n_query, dim = query.shape[1:]
    block = zeros(4, dim, shift)
    for e in range(first, last):
        for start in range(0, n_query, 4):
            for i in range(min(4, n_query - start)):
                squares[e, start + i] = shifted(query[e, start + i], shift[e], block[i])
            products(block, vectors[e], vectors.shape[1], out[e], start)


@compiled
def weighted_sums(first: int, last: int, rows: NDArray[Any], weights: Floats, out: Floats) -> None:
    """out [B, N, D] = weights^T rows, for episodes [first, last) of rows [B, S, D] and weights [B, S, N]; skips rows
    without weight."""
    for e in range(first, last):
        out[e, :, :] = 0.0
        for s in range(rows.shape[1]):
            row = rows[e, s]
            for k in range(weights.shape[2]):
                weight, total = weights[e, s, k], out[e, k]
                if weight != 0.0:
                    for d in range(len(total)):
                        total[d] += weight * row[d]
