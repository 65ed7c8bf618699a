"""Multinomial logistic regression of solvers/logistic.py, episode by episode in the dual, for small supports.

The optimum lies in the span of the centred rows X [n, D]: W = X^T A^T with `dual` A [N, n], fit F = A G for the Gram
matrix G = X X^T, and the objective C loss(F + b) + <A, F> / 2 has in the space of W the gradient (C R + A) X, where
R = P - Y. The direction of damped Newton comes by conjugate gradients in the metric of W, preconditioned by the Hessian
at equal probabilities, I + s X^T X with s = C / N, where that is far from the identity. On a path of C each optimum
starts on the line through the last two, over log C, and s is C times how unsure the probabilities are there. What is
not certainly at its optimum is "not converged" and left to the caller.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled, compiled_part
from fewshot.solvers.compiled.aligned import aligned_zeros
from fewshot.solvers.compiled.matrices import Floats, gather_centred, gram, inverse, products
from fewshot.solvers.compiled.newton import extrapolate, minimise
from fewshot.solvers.compiled.problem import Direction, Point, Problem, Space

_STEPS_PER_ROUND = 24.0  # conjugate gradients that a condition of 4 adds to a solution: measured
_NEARBY = 6.0  # how far C may be above that of a preconditioner which still serves
_FURTHER = 3.0  # and how far below
_WORST_CONDITION = 1e6  # of a preconditioner that keeps enough digits
_MAY_BE_EQUAL = 1e-12  # of the squared length: rows that are further apart differ
_LARGEST_DUAL = 4.0  # times c: a coefficient of the optimum is within c; far larger ones hold digits of nothing


def workspace(n_rows: int, n_way: int, dim: int) -> Space:
    """Zeros of all sizes. Not compiled: a thread calls it once, and its compilation would take seconds."""
    w = (n_rows + 7) // 8 * 8
    return Space(
        aligned_zeros(n_rows, dim),
        np.zeros(dim),
        np.zeros(n_rows, np.int64),
        np.zeros((2, n_rows), np.int64),
        aligned_zeros(n_rows, w),
        aligned_zeros(n_rows, w),
        np.zeros(1),
        aligned_zeros(n_rows, w),
        aligned_zeros(n_rows, w),
        _point(n_way, w),
        _point(n_way, w),
        _point(n_way, w),
        _direction(n_way, w),
        _direction(n_way, w),
        _direction(n_way, w),
        aligned_zeros(n_way, w),
        np.zeros(n_way),
        aligned_zeros(4, w),
    )


def _point(n_way: int, w: int) -> Point:
    dual, fit, p, residual = (aligned_zeros(n_way, w) for _ in range(4))
    return Point(dual, fit, np.zeros(n_way), p, residual)


def _direction(n_way: int, w: int) -> Direction:
    return Direction(aligned_zeros(n_way, w), aligned_zeros(n_way, w), np.zeros(n_way))


@compiled_part
def _spread(p: Floats, n: int) -> float:
    """The mean of p (1 - p) over the probabilities [N, w] of n rows: near 1 / N if they are equal, less if certain."""
    total = 0.0
    for k in range(len(p)):
        for i in range(n):
            total += p[k, i] * (1.0 - p[k, i])
    return total / (n * (len(p) - 1))


@compiled_part
def _prepare(space: Space, has_twins: bool, n: int, n_way: int, C: float, warm: bool) -> Problem:
    """The problem for one C, with its preconditioner: none if it would save too few steps, or that of a nearby C."""
    c = C / 2 if n_way == 2 else C
    wanted, largest = c * _spread(space.now.p, n) if warm else c / n_way, 0.0
    for i in range(n):
        largest = max(largest, np.abs(space.gram[i, :n]).sum())
    if _STEPS_PER_ROUND * (math.sqrt(1.0 + wanted * largest) - 1.0) < 2.0 * n / n_way:
        return Problem(space.gram, space.gram, space.truth, space.twin, has_twins, n, c, 0.0, wanted * n, 1.0, largest)
    solvable, near = wanted * largest < _WORST_CONDITION, space.made_for[0]
    if solvable and not near <= _FURTHER * wanted <= _FURTHER * _NEARBY * near:
        solvable = _invert(space, n, wanted)
        near = space.made_for[0]
    m, scale, condition = n if solvable else 0, wanted * n, 1.0 + near * largest
    return Problem(
        space.gram, space.inner_map, space.truth, space.twin, has_twins, m, c, near, scale, condition, largest
    )


@compiled_part
def _invert(space: Space, n: int, shrink: float) -> bool:
    """Fills inner_map with G (I + s G)^-1 = (I - (I + s G)^-1) / s."""
    for i in range(n):
        for j in range(n):
            space.matrix[i, j] = shrink * space.gram[i, j]
        space.matrix[i, i] += 1.0
    solvable = inverse(space.matrix, n, space.factor, space.inner_map)
    for i in range(n):
        for j in range(n):
            space.inner_map[i, j] = -space.inner_map[i, j] / shrink
        space.inner_map[i, i] += 1.0 / shrink
    space.made_for[0] = shrink if solvable else 0.0
    return solvable


@compiled_part
def _answer(space: Space, n: int, weight: Floats, bias: Floats) -> None:
    """Fills weights [N, D] and intercepts [N] for rows that are not centred."""
    products(space.now.dual, space.rows, n, weight)
    for k in range(len(bias)):
        total = space.now.bias[k]
        for d in range(len(space.mean)):
            total -= space.mean[d] * weight[k, d]
        bias[k] = total


@compiled_part
def _gather_labels(labels: NDArray[np.int64], held: NDArray[np.bool_], truth: NDArray[np.int64]) -> None:
    """Packs the labels that are held into `truth`."""
    n = 0
    for s in range(len(labels)):
        if held[s]:
            truth[n] = labels[s]
            n += 1


@compiled_part
def _find_twins(rows: Floats, gram: Floats, n: int, twin: NDArray[np.int64]) -> bool:
    """Whether some of the first n rows are equal; fills twin [2, n] with the first row equal to each, and the number of
    rows equal to that one. The Gram matrix excludes most pairs."""
    found = False
    for i in range(n):
        twin[0, i], twin[1, i] = i, 1
        for j in range(i):
            apart = gram[i, i] + gram[j, j] - 2.0 * gram[i, j]
            if twin[0, j] == j and apart <= _MAY_BE_EQUAL * gram[i, i] and _equal(rows[i], rows[j]):
                twin[0, i] = j
                twin[1, j] += 1
                found = True
                break
    return found


@compiled_part
def _equal(a: Floats, b: Floats) -> bool:
    d = 0
    while d < len(a) and a[d] == b[d]:
        d += 1
    return d == len(a)


@compiled_part
def _within(values: Floats, bound: float) -> bool:
    """Whether no value is further from 0 than the bound; a NaN is."""
    for k in range(len(values)):
        for i in range(values.shape[1]):
            if not abs(values[k, i]) <= bound:
                return False
    return True


@compiled
def fit_path(
    first: int,
    last: int,
    space: Space,
    rows: NDArray[Any],
    held: NDArray[np.bool_],
    labels: NDArray[np.int64],
    grid: Floats,
    max_iter: NDArray[np.int64],
    weight: Floats,
    bias: Floats,
    converged: NDArray[np.bool_],
) -> None:
    """Fills weight [C, B, N, D], bias [C, B, N] and converged [C, B] for episodes [first, last) of rows [B, S, D].

    Each value of `grid` starts from the optimum of the previous one. `space` is workspace(S, N, D).
    """
    n_way = weight.shape[2]
    for e in range(first, last):
        n = gather_centred(rows[e], held[e], space.rows, space.mean)
        _gather_labels(labels[e], held[e], space.truth)
        gram(space.rows, n, space.gram)
        has_twins = _find_twins(space.rows, space.gram, n, space.twin)
        for array in (space.now.dual, space.now.p, space.now.residual, space.trial.p, space.trial.residual):
            array[:, :] = 0.0
        for array in (space.trial.dual, space.now.fit, space.trial.fit, space.left.dual, space.curved, space.inner_map):
            array[:, :] = 0.0
        space.now.bias[:] = 0.0
        space.made_for[0] = 0.0
        for g in range(len(grid)):
            problem = _prepare(space, has_twins, n, n_way, grid[g], g > 0)
            if g > 0 and problem.n > 0:
                share = math.log(grid[g] / grid[g - 1]) / math.log(grid[g - 1] / grid[max(g - 2, 0)])
                extrapolate(problem, share if g > 1 else 0.0, space)
            solved = problem.n > 0 and minimise(problem, space, max_iter[g])
            converged[g, e] = solved and _within(space.now.dual, _LARGEST_DUAL * problem.c)
            _answer(space, n, weight[g, e], bias[g, e])
