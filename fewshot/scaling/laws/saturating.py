"""Laws that fall to a constant, fitted to log e itself: a shifted power law, and power laws with smooth breaks.

Least squares of log e - log law(x), from several starts, the best end wins. The shift and the constant are not
negative, and the constant stays below min(e); within, this is the global optimum as far as the starts find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from fewshot.scaling.laws import Fit, Floats, Law, log_rmse, parameter
from fewshot.scaling.laws._least_squares import Solved, solve

_CONSTANTS = (0.02, 0.5, 0.9)  # starts of the constant, as shares of min(e)
_NOTE = "the last steps still lowered the loss"


@dataclass(frozen=True)
class ShiftedPowerLaw(Law):
    """e = a (x + d)^(-b) + c, the saturating power law of Zhai, Kolesnikov, Houlsby, Beyer 2021 (arXiv 2106.04560):
    d > 0 bends the law at small x, c > 0 at large x."""

    a: float = parameter("error above c at x + d = 1", "error times x^b")
    b: float = parameter("exponent, positive where the error falls")
    c: float = parameter("error at infinite x", "error")
    d: float = parameter("shift: x that the start is worth", "x")
    formula = "e = a (x + d)^(-b) + c"

    def predict(self, x: ArrayLike) -> Floats:
        return np.asarray(self.a * (np.asarray(x, float) + self.d) ** -self.b + self.c)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        x, errors, lowest, middle = _prepared(x, errors, weights)
        scaled = x / np.exp(middle)[:, None]
        tried = [(share, shift) for share in _CONSTANTS for shift in (0.01, 0.3, 3.0)]
        starts = np.stack([_shifted_start(scaled, errors, weights, lowest, *pair) for pair in tried], 1)
        rows = np.repeat(np.arange(len(errors)), len(tried))

        def model(given: Floats) -> Floats:
            shifted = np.log(scaled[rows] + np.exp(given[:, 2:3]))
            constant = lowest[rows, None] * expit(given[:, 3:4])
            return np.asarray(np.log(constant + np.exp(given[:, :1] - np.exp(given[:, 1:2]) * shifted)))

        solved = solve(model, starts, np.log(errors), weights)
        laws = []
        for (log_a, log_b, log_d, share), low, m in zip(solved.parameters, lowest, middle, strict=True):
            b = float(np.exp(log_b))
            laws.append(cls(float(np.exp(log_a + b * m)), b, float(low * expit(share)), float(np.exp(log_d + m))))
        return _fits(laws, solved, x, errors, weights)


@dataclass(frozen=True)
class BNSL0(Law):
    """e = a + b x^(-c0) prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i): broken neural scaling law, here without a break
    (Caballero, Gupta, Rish, Krueger 2022, arXiv 2210.14891). Without breaks it is M2's formula, fitted to log e."""

    a: float = parameter("error at infinite x", "error")
    b: float = parameter("scale of the first segment", "error times x^c0")
    c0: float = parameter("exponent of the first segment, positive where the error falls")
    formula = "e = a + b x^(-c0)"
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
        x, errors, lowest, middle = _prepared(x, errors, weights)
        away = np.log(x) - middle[:, None]
        starts = np.stack(
            [
                _broken_start(away, errors, weights, lowest, share, places)
                for share in _CONSTANTS
                for places in combinations((0.2, 0.4, 0.6, 0.8), cls.breaks)
            ],
            1,
        )
        rows = np.repeat(np.arange(len(errors)), starts.shape[1])

        def model(given: Floats) -> Floats:
            power = given[:, 1:2] - given[:, 2:3] * away[rows]
            for number in range(cls.breaks):
                change, place, width = (given[:, 3 + 3 * number + i, None] for i in range(3))
                power = power - change * np.exp(width) * np.logaddexp(0, (away[rows] - place) / np.exp(width))
            return np.asarray(np.log(lowest[rows, None] * expit(given[:, :1]) + np.exp(power)))

        solved = solve(model, starts, np.log(errors), weights)
        ends = zip(solved.parameters, lowest, middle, strict=True)
        return _fits([cls._from(given, low, m) for given, low, m in ends], solved, x, errors, weights)

    @classmethod
    def _from(cls, given: Floats, lowest: float, middle: float) -> Law:
        """The law of solved parameters: share of lowest, log b, c0, and change, place, log width of each break."""
        values = [lowest * expit(given[0]), np.exp(given[1] + given[2] * middle), given[2]]
        for number in range(cls.breaks):
            change, place, width = given[3 + 3 * number : 6 + 3 * number]
            values += [change, np.exp(place + middle), np.exp(width)]
        return cls(*map(float, values))


@dataclass(frozen=True)
class BNSL1(BNSL0):
    """BNSL0 with one smooth break."""

    c1: float = parameter("what the break adds to the exponent")
    d1: float = parameter("where the break is", "x")
    f1: float = parameter("width of the break", "log x")
    formula = "e = a + b x^(-c0) (1 + (x / d1)^(1 / f1))^(-c1 f1)"
    breaks = 1


@dataclass(frozen=True)
class BNSL2(BNSL1):
    """BNSL0 with two smooth breaks."""

    c2: float = parameter("what the second break adds to the exponent")
    d2: float = parameter("where the second break is", "x")
    f2: float = parameter("width of the second break", "log x")
    formula = "e = a + b x^(-c0) prod_i (1 + (x / d_i)^(1 / f_i))^(-c_i f_i), i = 1, 2"
    breaks = 2


def _prepared(x: Floats, errors: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """x and errors [B, n] with harmless values where weights are 0; the lowest error and the mean log x [B]."""
    used = weights > 0
    lowest = np.where(used, errors, np.inf).min(1)
    x = np.where(used, np.broadcast_to(x, errors.shape), 1.0)
    middle = (weights * np.log(x)).sum(1) / weights.sum(1)
    x = np.where(used, x, np.exp(middle)[:, None])
    return x, np.where(used, errors, lowest[:, None]), lowest, middle


def _lines(columns: Floats, target: Floats, weights: Floats) -> Floats:
    """[B, p]: weighted least squares of target [B, n] on columns [B, n, p], by pseudo-inverse."""
    root = np.sqrt(weights)[:, :, None]
    return np.asarray((np.linalg.pinv(columns * root) @ (target[:, :, None] * root))[:, :, 0])


def _shifted_start(
    scaled: Floats, errors: Floats, weights: Floats, lowest: Floats, share: float, shift: float
) -> Floats:
    """[B, 4]: log a, log b, log d and the constant's logit, the first two by a line through log(e - c)."""
    target = np.log(errors - share * lowest[:, None])
    columns = np.stack([np.ones_like(errors), -np.log(scaled + shift)], 2)
    log_a, b = _lines(columns, target, weights).T
    fixed = np.ones((len(errors), 1))
    log_b = np.log(np.clip(b, 0.02, 5.0))
    return np.concatenate([np.stack([log_a, log_b], 1), np.log(shift) * fixed, _logit(share) * fixed], 1)


def _broken_start(
    away: Floats, errors: Floats, weights: Floats, lowest: Floats, share: float, places: tuple[float, ...]
) -> Floats:
    """[B, 3 + 3 breaks]: breaks at these shares of the range of log x, slopes by hinges through log(e - a)."""
    span = np.ptp(away, axis=1)[:, None]
    knots = [away.min(1)[:, None] + place * span for place in places]
    columns = [np.ones_like(away), -away, *(-np.maximum(away - knot, 0) for knot in knots)]
    solved = _lines(np.stack(columns, 2), np.log(errors - share * lowest[:, None]), weights)
    parts = [np.full((len(away), 1), _logit(share)), solved[:, :2]]
    for number, knot in enumerate(knots):
        parts += [solved[:, 2 + number, None], knot, np.log(span / 10 + 1e-3)]
    return np.concatenate(parts, 1)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _fits(laws: Sequence[Law], solved: Solved, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
    each = zip(laws, x, errors, weights, solved.converged.tolist(), strict=True)
    return [
        Fit(law, log_rmse(law, row, e, w), converged, note="" if converged else _NOTE)
        for law, row, e, w, converged in each
    ]
