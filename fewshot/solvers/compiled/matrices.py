"""Loops over the rows of one episode: centring, Gram matrices, products, inverses, inner products with queries.

Rows are float64 [S, D] in the workspace of a thread; the first n are in use. Symmetric matrices and vectors over rows
are padded with zeros to a width w, a multiple of 8, for whole vector instructions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled, compiled_part

Floats = NDArray[np.float64]
_NEAR = 32  # rows of a matrix that stay in the second-level cache, a multiple of 4
_CHUNK = 640  # features of eight rows at a time: they stay in the first-level cache


@compiled_part
def gather_centred(rows: NDArray[Any], held: NDArray[np.bool_], centred: Floats, mean: Floats) -> int:
    """The number n of rows held. Packs them into `centred`, minus their `mean`."""
    n, dim = 0, rows.shape[1]
    mean[:] = 0.0
    for s in range(len(rows)):
        if held[s]:
            for d in range(dim):
                value = float(rows[s, d])
                centred[n, d] = value
                mean[d] += value
            n += 1
    for d in range(dim):
        mean[d] /= n
    for s in range(n):
        for d in range(dim):
            centred[s, d] -= mean[d]
    return n


@compiled_part
def to_length_one(rows: Floats, n: int) -> None:
    """Divides the first n rows by their lengths; zeros stay zero. Squares of float32 numbers are finite."""
    for s in range(n):
        square = 0.0
        for d in range(rows.shape[1]):
            square += rows[s, d] * rows[s, d]
        if square > 0.0:
            length = math.sqrt(square)
            for d in range(rows.shape[1]):
                rows[s, d] /= length


@compiled
def gram(rows: Floats, n: int, out: Floats) -> None:
    """out[:n, :n] = rows rows^T. Blocks of 4 x 4 share their loads; only the lower half is computed."""
    out[:, :] = 0.0
    dim, parts = rows.shape[1], (rows.shape[1] + _CHUNK - 1) // _CHUNK
    for part in range(parts):
        low, high = part * dim // parts, (part + 1) * dim // parts
        for i in range(0, n, 4):
            for j in range(0, i + 1, 4):
                _gram_block(rows, n, low, high, i, j, out)
    for i in range(n):
        for j in range(i):
            out[j, i] = out[i, j]


@compiled_part
def _gram_block(rows: Floats, n: int, low: int, high: int, i: int, j: int, out: Floats) -> None:
    """Adds features [low, high) to the products of rows i .. i + 3 with rows j .. j + 3; beyond the end it repeats the
    last row and drops its products. Slices rows here, because numba counts references of array arguments."""
    last = n - 1
    a0, a1 = rows[i][low:high], rows[min(i + 1, last)][low:high]
    a2, a3 = rows[min(i + 2, last)][low:high], rows[min(i + 3, last)][low:high]
    b0, b1 = rows[j][low:high], rows[min(j + 1, last)][low:high]
    b2, b3 = rows[min(j + 2, last)][low:high], rows[min(j + 3, last)][low:high]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = 0.0
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = 0.0
    for d in range(len(a0)):
        u0, u1, u2, u3 = a0[d], a1[d], a2[d], a3[d]
        v0, v1, v2, v3 = b0[d], b1[d], b2[d], b3[d]
        s00 += u0 * v0
        s01 += u0 * v1
        s02 += u0 * v2
        s03 += u0 * v3
        s10 += u1 * v0
        s11 += u1 * v1
        s12 += u1 * v2
        s13 += u1 * v3
        s20 += u2 * v0
        s21 += u2 * v1
        s22 += u2 * v2
        s23 += u2 * v3
        s30 += u3 * v0
        s31 += u3 * v1
        s32 += u3 * v2
        s33 += u3 * v3
    sums = ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
    for p in range(min(4, n - i)):
        for q in range(min(4, n - j)):
            out[i + p, j + q] += sums[p][q]


@compiled_part
def products(vectors: Floats, matrix: Floats, n: int, out: Floats) -> None:
    """out [N, w] = vectors matrix, for vectors [N, at least n] and the first n rows of a matrix [n, w]; a few rows of
    the matrix serve all vectors while they are in the cache."""
    whole, paired = n - n % 4, len(vectors) - len(vectors) % 2
    out[:, :] = 0.0
    for low in range(0, whole, _NEAR):
        high = min(low + _NEAR, whole)
        for k in range(0, paired, 2):
            _two_products(matrix, vectors[k], vectors[k + 1], low, high, out[k], out[k + 1])
        if paired < len(vectors):
            _one_product(matrix, vectors[paired], low, high, out[paired])
    for k in range(len(vectors)):
        for j in range(whole, n):
            total, vj, mj = out[k], vectors[k, j], matrix[j]
            for i in range(len(total)):
                total[i] += vj * mj[i]


@compiled_part
def _one_product(matrix: Floats, v: Floats, low: int, high: int, total: Floats) -> None:
    """total += v times the rows [low, high) of the matrix, whose number is a multiple of 4."""
    for j in range(low, high, 4):
        v0, v1, v2, v3 = v[j], v[j + 1], v[j + 2], v[j + 3]
        m0, m1, m2, m3 = matrix[j], matrix[j + 1], matrix[j + 2], matrix[j + 3]
        for i in range(len(total)):
            total[i] += v0 * m0[i] + v1 * m1[i] + v2 * m2[i] + v3 * m3[i]


@compiled_part
def _two_products(matrix: Floats, v: Floats, u: Floats, low: int, high: int, of_v: Floats, of_u: Floats) -> None:
    """_one_product for two vectors, which share each load of the matrix."""
    for j in range(low, high, 4):
        v0, v1, v2, v3 = v[j], v[j + 1], v[j + 2], v[j + 3]
        u0, u1, u2, u3 = u[j], u[j + 1], u[j + 2], u[j + 3]
        m0, m1, m2, m3 = matrix[j], matrix[j + 1], matrix[j + 2], matrix[j + 3]
        for i in range(len(of_v)):
            a, b, c, d = m0[i], m1[i], m2[i], m3[i]
            of_v[i] += v0 * a + v1 * b + v2 * c + v3 * d
            of_u[i] += u0 * a + u1 * b + u2 * c + u3 * d


@compiled_part
def copy(matrix: Floats, out: NDArray[Any]) -> None:
    """out = matrix, of one shape. `out[:, :] = matrix` would compile the error for other shapes, for four seconds."""
    for k in range(len(matrix)):
        for i in range(matrix.shape[1]):
            out[k, i] = matrix[k, i]


@compiled_part
def _dot(a: Floats, b: Floats) -> float:
    """<a, b>. Callers slice rows, so that indices start at 0: an index that might be negative prevents vector
    instructions."""
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@compiled_part
def inner(a: Floats, b: Floats) -> float:
    """The sum of products of the entries of two matrices."""
    total = 0.0
    for k in range(len(a)):
        total += _dot(a[k], b[k])
    return total


@compiled_part
def cholesky(matrix: Floats, n: int, factor: Floats) -> bool:
    """matrix = factor factor^T, lower triangles; False where the matrix is not positive definite."""
    for i in range(n):
        for j in range(i + 1):
            rest, a, b = matrix[i, j], factor[i], factor[j]
            for k in range(j):
                rest -= a[k] * b[k]
            if i == j:
                if not rest > 0.0:
                    return False
                factor[i, i] = math.sqrt(rest)
            else:
                factor[i, j] = rest / factor[j, j]
    return True


@compiled_part
def inverse(matrix: Floats, n: int, factor: Floats, out: Floats) -> bool:
    """out = matrix^-1, for a positive definite matrix, which is overwritten; False where it is not."""
    if not cholesky(matrix, n, factor):
        return False
    for j in range(n):  # row j becomes column j of factor^-1
        column = matrix[j]
        column[:j] = 0.0
        column[j] = 1.0 / factor[j, j]
        for i in range(j + 1, n):
            column[i] = -_dot(factor[i][j:i], column[j:i]) / factor[i, i]
    for i in range(n):
        for j in range(i + 1):
            out[i, j] = _dot(matrix[i][i:n], matrix[j][i:n])
            out[j, i] = out[i, j]
    return True
