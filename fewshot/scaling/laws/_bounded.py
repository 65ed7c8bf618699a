"""Starts and fits of the laws that fall to a constant and are fitted to log e itself.

Least squares of log e - log law(x) from several starts; the best end wins. The constant is not negative and stays below
min(e). Within these bounds the result is the global optimum, if one of the starts leads to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.scaling.laws import Fit, Floats, Law, log_rmse
from fewshot.scaling.laws._least_squares import STILL_FALLING, Solved

CONSTANTS = (0.02, 0.5, 0.9)  # starts of the constant, as shares of min(e)


def prepared(x: Floats, errors: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """x and errors [B, n] with harmless values at weight 0; the lowest error and the mean log x [B]."""
    used = weights > 0
    lowest = np.where(used, errors, np.inf).min(1)
    x = np.where(used, np.broadcast_to(x, errors.shape), 1.0)
    middle = (weights * np.log(x)).sum(1) / weights.sum(1)
    x = np.where(used, x, np.exp(middle)[:, None])
    return x, np.where(used, errors, lowest[:, None]), lowest, middle


def solved_lines(columns: Floats, target: Floats, weights: Floats) -> Floats:
    """[B, p]: weighted least squares of target [B, n] on columns [B, n, p], by pseudo-inverse."""
    root = np.sqrt(weights)[:, :, None]
    return np.asarray((np.linalg.pinv(columns * root) @ (target[:, :, None] * root))[:, :, 0])


def logit(share: float) -> float:
    """The start of the constant as an unbounded parameter."""
    return float(np.log(share / (1 - share)))


def fits_of(laws: Sequence[Law], solved: Solved, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
    """The laws [B] with their log RMSE for errors [B, n] at x [B, n], and whether they converged."""
    each = zip(laws, x, errors, weights, solved.converged.tolist(), strict=True)
    return [
        Fit(law, log_rmse(law, row, e, w), converged, note="" if converged else STILL_FALLING)
        for law, row, e, w, converged in each
    ]
