"""A broken power law without a break: `BNSL0`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from fewshot.scaling.laws import Fit, Floats, Law, Meaning
from fewshot.scaling.laws._bounded import CONSTANTS, fits_of, logit, prepared, solved_lines
from fewshot.scaling.laws._least_squares import solve


@dataclass(frozen=True)
class BNSL0(Law):
    """A broken neural scaling law (Caballero, Gupta, Rish, Krueger 2022, arXiv 2210.14891), here without a break: the
    formula of M2, fitted to log e.

    With breaks: e = a + b x^(-c0) prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i).
    """

    a: Annotated[float, Meaning("error at infinite x", "error")]
    b: Annotated[float, Meaning("scale of the first segment", "error times x^c0")]
    c0: Annotated[float, Meaning("exponent of the first segment, positive where the error falls")]
    formula: ClassVar[str] = "e = a + b x^(-c0)"
    breaks: ClassVar[int] = 0

    def predict(self, x: ArrayLike) -> Floats:
        log_x = np.log(np.asarray(x, float))
        power = np.log(self.b) - self.c0 * log_x
        for number in range(1, self.breaks + 1):
            change, place, width = (getattr(self, f"{letter}{number}") for letter in "cdf")
            power = power - change * width * np.logaddexp(0, (log_x - np.log(place)) / width)
        return np.asarray(self.a + np.exp(power))

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        x, errors, lowest, middle = prepared(x, errors, weights)
        away = np.log(x) - middle[:, None]
        starts = np.stack(
            [
                _broken_start(away, errors, weights, lowest, share, places)
                for share in CONSTANTS
                for places in combinations((0.2, 0.4, 0.6, 0.8), cls.breaks)
            ],
            1,
        )
        rows = np.repeat(np.arange(len(errors)), starts.shape[1])

        def model(theta: Floats) -> Floats:
            power = theta[:, 1:2] - theta[:, 2:3] * away[rows]
            for number in range(cls.breaks):
                change, place, width = (theta[:, 3 + 3 * number + i, None] for i in range(3))
                power = power - change * np.exp(width) * np.logaddexp(0, (away[rows] - place) / np.exp(width))
            return np.asarray(np.log(lowest[rows, None] * expit(theta[:, :1]) + np.exp(power)))

        solved = solve(model, starts, np.log(errors), weights)
        ends = zip(solved.parameters, lowest, middle, strict=True)
        return fits_of([cls._from(theta, low, m) for theta, low, m in ends], solved, x, errors, weights)

    @classmethod
    def _from(cls, theta: Floats, lowest: float, middle: float) -> Law:
        """The law with solved parameters: share of lowest, log b, c0, and change, place, log width of each break."""
        values = [lowest * expit(theta[0]), np.exp(theta[1] + theta[2] * middle), theta[2]]
        for number in range(cls.breaks):
            change, place, width = theta[3 + 3 * number : 6 + 3 * number]
            values += [change, np.exp(place + middle), np.exp(width)]
        return cls(*map(float, values))


def _broken_start(
    away: Floats, errors: Floats, weights: Floats, lowest: Floats, share: float, places: tuple[float, ...]
) -> Floats:
    """[B, 3 + 3 breaks]: breaks at these shares of the range of log x, slopes from hinges through log(e - a)."""
    span = np.ptp(away, axis=1)[:, None]
    knots = [away.min(1)[:, None] + place * span for place in places]
    columns = [np.ones_like(away), -away, *(-np.maximum(away - knot, 0) for knot in knots)]
    solved = solved_lines(np.stack(columns, 2), np.log(errors - share * lowest[:, None]), weights)
    parts = [np.full((len(away), 1), logit(share)), solved[:, :2]]
    for number, knot in enumerate(knots):
        parts += [solved[:, 2 + number, None], knot, np.log(span / 10 + 1e-3)]
    return np.concatenate(parts, 1)
