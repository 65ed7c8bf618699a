"""Weighted least squares lines and their fits, for laws that are lines in logarithms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.scaling.laws import Fit, Floats, Law, log_rmse
from fewshot.scaling.laws._alternation import MAX_ROUNDS, Alternated

_SLOW = f"the bounds of the error still moved after {MAX_ROUNDS} rounds"


def lines(abscissas: Floats, ordinates: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Intercepts and slopes [B] of weighted least squares lines: ordinates [B, n] over abscissas [n] or [B, n]."""
    share = weights / weights.sum(1, keepdims=True)
    middle = (share * abscissas).sum(1)
    away = abscissas - middle[:, None]
    spread = (share * away**2).sum(1)
    slope = (share * away * ordinates).sum(1) / np.where(spread > 0, spread, 1.0)
    return (share * ordinates).sum(1) - slope * middle, slope


def fits_of(laws: Sequence[Law], x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
    """The laws [B] with their log RMSE for errors [B, n] at x [n] or [B, n]."""
    each = zip(laws, np.broadcast_to(x, errors.shape), errors, weights, strict=True)
    return [Fit(law, log_rmse(law, x[w > 0], e[w > 0], w[w > 0])) for law, x, e, w in each]


def fits_of_alternation(
    laws: Sequence[Law], ended: Alternated, x: Floats, errors: Floats, weights: Floats
) -> list[Fit]:
    """`fits_of` the laws at the end of an alternation, with convergence and rounds."""
    ends = zip(ended.converged.tolist(), ended.rounds.tolist(), strict=True)
    return [
        Fit(fit.law, fit.rmse, converged, rounds, "" if converged else _SLOW)
        for fit, (converged, rounds) in zip(fits_of(laws, x, errors, weights), ends, strict=True)
    ]
