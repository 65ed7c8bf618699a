"""Multinomial logistic regression of fewshot/logistic.py, episode by episode in the dual, for small supports.

The optimum lies in the span of the centred rows X [n, D]: W = X^T A^T with `dual` A [N, n], fit F = A G for the Gram
matrix G = X X^T, and the objective C loss(F + b) + <A, F> / 2 has in the space of W the gradient (C R + A) X, where
R = P - Y. The direction of damped Newton comes by conjugate gradients in the metric of W, preconditioned by the Hessian
at equal probabilities, I + (C / N) X^T X, where that is far from the identity. What is not certainly at its optimum is
"not converged" and left to the caller.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.compiled import compiled
from fewshot.compiled.matrices import Floats, gather_centred, gram, inverse, span
from fewshot.compiled.newton import Direction, Point, Problem, Space, minimise

_STEPS_PER_ROUND = 24.0  # conjugate gradients that a condition of 4 adds to a solution: measured
_WORST_CONDITION = 1e6  # of a preconditioner that keeps enough digits
_LARGEST_DUAL = 4.0  # times c: a coefficient of the optimum is within c; far larger ones hold digits of nothing


@compiled
def workspace(n_rows: int, n_way: int, dim: int) -> Space:
    """Zeros of all sizes."""
    w = (n_rows + 7) // 8 * 8
    square, flat, few = (n_rows, w), (n_way, w), n_way
    return Space(
        np.zeros((n_rows, dim)),
        np.zeros(dim),
        np.zeros(n_rows, np.int64),
        np.zeros(square),
        np.zeros(square),
        np.zeros(square),
        np.zeros(square),
        Point(np.zeros(flat), np.zeros(flat), np.zeros(few), np.zeros(flat), np.zeros(flat)),
        Point(np.zeros(flat), np.zeros(flat), np.zeros(few), np.zeros(flat), np.zeros(flat)),
        Direction(np.zeros(flat), np.zeros(flat), np.zeros(few)),
        Direction(np.zeros(flat), np.zeros(flat), np.zeros(few)),
        Direction(np.zeros(flat), np.zeros(flat), np.zeros(few)),
        np.zeros(flat),
        np.zeros(few),
        np.zeros((2, w)),
    )


@compiled
def _prepare(space: Space, n: int, n_way: int, C: float) -> Problem:
    """The problem for one C, with its preconditioner: left out where the few steps that it saves cost less."""
    c = C / 2 if n_way == 2 else C
    shrink, largest = c / n_way, 0.0
    for i in range(n):
        largest = max(largest, np.abs(space.gram[i, :n]).sum())
    bound, bias_scale = shrink * largest, shrink * n
    if _STEPS_PER_ROUND * (math.sqrt(1.0 + bound) - 1.0) < 2.0 * n / n_way:
        return Problem(space.gram, space.gram, space.truth, n, c, 0.0, bias_scale, 1.0, largest)
    for i in range(n):
        for j in range(n):
            space.matrix[i, j] = shrink * space.gram[i, j]
        space.matrix[i, i] += 1.0
    solvable = inverse(space.matrix, n, space.factor, space.inner_map)
    for i in range(n):  # G (I + s G)^-1 = (I - (I + s G)^-1) / s
        for j in range(n):
            space.inner_map[i, j] = -space.inner_map[i, j] / shrink
        space.inner_map[i, i] += 1.0 / shrink
    if not (solvable and bound < _WORST_CONDITION):
        n = 0
    return Problem(space.gram, space.inner_map, space.truth, n, c, shrink, bias_scale, 1.0 + bound, largest)


@compiled
def _answer(space: Space, n: int, weight: Floats, bias: Floats) -> None:
    """Weights [N, D] and intercepts [N] for rows that are not centred."""
    span(space.rows, space.now.dual, n, weight)
    for k in range(len(bias)):
        total = space.now.bias[k]
        for d in range(len(space.mean)):
            total -= space.mean[d] * weight[k, d]
        bias[k] = total


@compiled
def fit_path(
    first: int,
    last: int,
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

    Each value of `grid` starts from the optimum of the one before it.
    """
    n_way = weight.shape[2]
    space = workspace(rows.shape[1], n_way, rows.shape[2])
    for e in range(first, last):
        n = gather_centred(rows[e], held[e], space.rows, space.mean)
        space.truth[:n] = labels[e][held[e]]
        gram(space.rows, n, space.gram)
        for array in (space.now.dual, space.now.p, space.now.residual, space.trial.p, space.trial.residual):
            array[:, :] = 0.0
        for array in (space.now.fit, space.trial.fit, space.left.dual, space.curved, space.inner_map):
            array[:, :] = 0.0
        space.now.bias[:] = 0.0
        for g in range(len(grid)):
            problem = _prepare(space, n, n_way, grid[g])
            solved = problem.n > 0 and minimise(problem, space, max_iter[g])
            converged[g, e] = solved and np.abs(space.now.dual).max() <= _LARGEST_DUAL * problem.c
            _answer(space, n, weight[g, e], bias[g, e])
