"""A power law that bends to a constant: `M3`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fewshot.scaling.laws import Fit, Floats, Law, Meaning
from fewshot.scaling.laws._alternation import MAX_ROUNDS
from fewshot.scaling.laws._log_lines import fits_of, lines


@dataclass(frozen=True)
class M3(Law):
    """A power law that bends to a constant.

    Residual: log e - log beta + c log(1/x + gamma). The fit alternates from gamma = 0: least squares for (beta, c),
    then the best gamma of the last one and those with which the law passes through one of the points. It ends when beta
    no longer moves. Rising errors give a constant.
    """

    beta: Annotated[float, Meaning("error where 1/x + gamma = 1", "error times x^-c")]
    c: Annotated[float, Meaning("exponent at small x")]
    gamma: Annotated[float, Meaning("1/x below which more x does not help", "1/x")]
    formula: ClassVar[str] = "e = beta (1/x + gamma)^(-c)"
    for_budgets: ClassVar[bool] = True

    def predict(self, x: ArrayLike) -> Floats:
        return np.asarray(self.beta * (1 / np.asarray(x, float) + self.gamma) ** -self.c)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        ended = cls._alternate(np.broadcast_to(x, errors.shape), errors, weights)
        laws = [M3(float(b), 0.0 - float(slope), float(g)) for b, slope, g, _ in ended]
        late = f"beta still moved after {MAX_ROUNDS} rounds"
        return [
            Fit(fit.law, fit.rmse, rounds < MAX_ROUNDS, rounds, late if rounds >= MAX_ROUNDS else "")
            for fit, rounds in zip(fits_of(laws, x, errors, weights), ended[:, 3].astype(int).tolist(), strict=True)
        ]

    @staticmethod
    def _alternate(x: Floats, errors: Floats, weights: Floats) -> Floats:
        """[B, 4]: beta, -c, gamma and the number of rounds."""
        used = weights > 0
        x = np.where(used, x, 1.0)
        errors = np.where(used, errors, 0.5)
        state = np.zeros((len(errors), 4))  # beta, -c, gamma, rounds
        moving, gamma, beta = np.arange(len(errors)), np.zeros(len(errors)), np.ones(len(errors))
        for rounds in range(1, MAX_ROUNDS + 1):
            last, (beta, slope) = beta, _rising(x, gamma, errors, weights)
            state[moving] = np.stack([beta, slope, gamma, np.full(len(beta), rounds)], 1)
            on = (abs(beta - last) >= 1e-10) & (slope > 0)
            if not on.any():
                break
            moving, x, errors, weights, beta = moving[on], x[on], errors[on], weights[on], beta[on]
            gamma = _best_gamma(gamma[on], beta, slope[on], x, errors, weights)
        return state


def _rising(x: Floats, gamma: Floats, errors: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """beta and slope [B] of log e over log(1/x + gamma); slope 0 if errors rise with x."""
    log_beta, slope = lines(np.log(1 / x + gamma[:, None]), np.log(errors), weights)
    mean = (weights * np.log(errors)).sum(1) / weights.sum(1)
    return np.exp(np.where(slope > 0, log_beta, mean)), np.maximum(slope, 0.0)


def _best_gamma(gamma: Floats, beta: Floats, slope: Floats, x: Floats, errors: Floats, weights: Floats) -> Floats:
    """[B] the gamma with the least squares among the last one and those with which the law passes through a point."""
    with np.errstate(over="ignore"):
        meeting = (errors / beta[:, None]) ** (1 / slope[:, None]) - 1 / x
    tried = np.concatenate([gamma[:, None], meeting], 1)  # [B, tried]
    good = (tried >= 0) & np.isfinite(tried)
    good[:, 1:] &= weights > 0
    tried = np.where(good, tried, gamma[:, None])
    target = np.log(errors / beta[:, None])[:, None]
    residual = target - slope[:, None, None] * np.log(1 / x[:, None] + tried[:, :, None])  # [B, tried, n]
    best = np.einsum("btn,bn->bt", residual**2, weights).argmin(1)
    return np.asarray(tried[np.arange(len(tried)), best])
