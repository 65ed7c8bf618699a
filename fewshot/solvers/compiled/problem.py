"""What Newton's loops work on: one episode for one C, its trial solutions, and the workspace of a thread.

The sizes are n rows of the support, N classes, and w, the number of rows rounded up to a multiple of 8.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled.matrices import Floats


class Problem(NamedTuple):
    """One episode for one C."""

    gram: Floats  # [n, w] G
    inner_map: Floats  # [n, w] T
    truth: NDArray[np.int64]  # [n] class of each row
    twin: NDArray[np.int64]  # [2, n] the first row equal to each, and how many rows equal it
    has_twins: bool
    n: int
    c: float
    shrink: float  # s of the preconditioner: about C / N; 0 for none
    bias_scale: float  # the Hessian of an intercept at equal probabilities
    condition: float  # the largest eigenvalue ratio of the preconditioner
    largest: float  # bounds the eigenvalues of G


class Point(NamedTuple):
    """A trial solution, and the loss there."""

    dual: Floats  # [N, w]
    fit: Floats  # [N, w] without the intercepts
    bias: Floats  # [N]
    p: Floats  # [N, w] probabilities, zero for padding
    residual: Floats  # [N, w] c (p - y)


class Direction(NamedTuple):
    """A change of dual, fit and bias, or the residual of one."""

    dual: Floats
    fit: Floats
    bias: Floats


class Space(NamedTuple):
    """The workspace of one thread."""

    rows: Floats  # [S, D]
    mean: Floats  # [D]
    truth: NDArray[np.int64]
    twin: NDArray[np.int64]  # [2, S]
    gram: Floats  # [S, w], as the next three
    inner_map: Floats
    made_for: Floats  # [1] the C / N of inner_map, or 0
    matrix: Floats
    factor: Floats
    now: Point
    trial: Point
    before: Point  # the optimum for the last C but one
    step: Direction
    search: Direction
    left: Direction
    curved: Floats  # [N, w]
    curved_bias: Floats  # [N]
    of_row: Floats  # [4, w] one value for each row; scratch inside a function
