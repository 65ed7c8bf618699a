"""Nonlinear least squares (Levenberg-Marquardt) for many fits and starts at once.

K problems side by side, each with p unbounded parameters. Models enforce bounds themselves (a logarithm, a sigmoid).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats

STILL_FALLING = "the last steps still lowered the loss"  # the reason if a fit has not converged
Model = Callable[[Floats], Floats]  # parameters [K, p] to values [K, n], which are fitted to the targets
_MOST_STEPS = 200
_STEP = 1e-6  # of the numerical derivative
_LOOK, _STILL = 20, 1e-5  # steps between two checks, and the relative fall of the loss between them that counts as none
_DAMPING = (1e-9, 1e9)


@dataclass(frozen=True, eq=False)
class Solved:
    """The best solution of all starts, for each of B problems."""

    parameters: Floats  # [B, p]
    losses: Floats  # [B], weighted mean squared residuals
    converged: NDArray[np.bool_]  # [B]


def solve(model: Model, starts: Floats, targets: Floats, weights: Floats) -> Solved:
    """The least squares fits [B, p] of `model` to targets [B, n] with weights [B, n] from starts [B, S, p]; `model`
    gets B * S rows, the S starts of a problem one after the other."""
    count, tries, size = starts.shape
    targets, weights = np.repeat(targets, tries, 0), np.repeat(weights / weights.sum(1, keepdims=True), tries, 0)
    parameters, losses, still = _descend(model, starts.reshape(-1, size), targets, weights)
    losses = losses.reshape(count, tries)
    best = np.arange(count) * tries + losses.argmin(1)
    return Solved(parameters[best], losses.min(1), still[best])


def _descend(
    model: Model, parameters: Floats, targets: Floats, weights: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    residual = _residual(model, parameters, targets)
    losses = (weights * residual**2).sum(1)
    damping, still, seen = np.full(len(parameters), 1e-2), np.zeros(len(parameters), bool), losses
    for number in range(1, _MOST_STEPS + 1):
        slopes = _slopes(model, parameters, residual, targets)  # [K, n, p]
        gram = np.einsum("knp,kn,knq->kpq", slopes, weights, slopes)
        pull = np.einsum("knp,kn,kn->kp", slopes, weights, residual)
        ridge = damping[:, None] * np.einsum("kpp->kp", gram) + 1e-12
        step = np.linalg.solve(gram + ridge[:, None] * np.eye(gram.shape[1]), pull[:, :, None])[:, :, 0]
        tried = parameters - np.clip(step, -3.0, 3.0)
        tried_residual = _residual(model, tried, targets)
        tried_losses = (weights * tried_residual**2).sum(1)
        better = tried_losses < losses
        parameters = np.where(better[:, None], tried, parameters)
        residual, losses = np.where(better[:, None], tried_residual, residual), np.where(better, tried_losses, losses)
        damping = np.clip(np.where(better, damping / 3, damping * 4), *_DAMPING)
        if number % _LOOK == 0:
            still, seen = seen - losses <= _STILL * losses + 1e-24, losses
            if still.all():
                break
    return parameters, losses, still


def _residual(model: Model, parameters: Floats, targets: Floats) -> Floats:
    with np.errstate(all="ignore"):
        residual = model(parameters) - targets
    return np.where(np.isfinite(residual), np.clip(residual, -1e6, 1e6), 1e6)


def _slopes(model: Model, parameters: Floats, residual: Floats, targets: Floats) -> Floats:
    columns = []
    for number in range(parameters.shape[1]):
        moved = parameters.copy()
        moved[:, number] += _STEP
        columns.append((_residual(model, moved, targets) - residual) / _STEP)
    return np.stack(columns, 2)
