"""A power law of a shifted x above a constant: `ShiftedPowerLaw`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from fewshot.scaling.laws import Fit, Floats, Law, Meaning
from fewshot.scaling.laws._bounded import CONSTANTS, fits_of, logit, prepared, solved_lines
from fewshot.scaling.laws._least_squares import solve


@dataclass(frozen=True)
class ShiftedPowerLaw(Law):
    """A saturating power law (Zhai, Kolesnikov, Houlsby, Beyer 2021, arXiv 2106.04560): d > 0 bends it at small x,
    c > 0 at large x."""

    a: Annotated[float, Meaning("error above c at x + d = 1", "error times x^b")]
    b: Annotated[float, Meaning("exponent, positive where the error falls")]
    c: Annotated[float, Meaning("error at infinite x", "error")]
    d: Annotated[float, Meaning("shift of x: the head start", "x")]
    formula: ClassVar[str] = "e = a (x + d)^(-b) + c"

    def predict(self, x: ArrayLike) -> Floats:
        return np.asarray(self.a * (np.asarray(x, float) + self.d) ** -self.b + self.c)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        x, errors, lowest, middle = prepared(x, errors, weights)
        scaled = x / np.exp(middle)[:, None]
        tried = [(share, shift) for share in CONSTANTS for shift in (0.01, 0.3, 3.0)]
        starts = np.stack([_shifted_start(scaled, errors, weights, lowest, *pair) for pair in tried], 1)
        rows = np.repeat(np.arange(len(errors)), len(tried))

        def model(theta: Floats) -> Floats:
            shifted = np.log(scaled[rows] + np.exp(theta[:, 2:3]))
            constant = lowest[rows, None] * expit(theta[:, 3:4])
            return np.asarray(np.log(constant + np.exp(theta[:, :1] - np.exp(theta[:, 1:2]) * shifted)))

        solved = solve(model, starts, np.log(errors), weights)
        laws = []
        for (log_a, log_b, log_d, share), low, m in zip(solved.parameters, lowest, middle, strict=True):
            b = float(np.exp(log_b))
            laws.append(cls(float(np.exp(log_a + b * m)), b, float(low * expit(share)), float(np.exp(log_d + m))))
        return fits_of(laws, solved, x, errors, weights)


def _shifted_start(
    scaled: Floats, errors: Floats, weights: Floats, lowest: Floats, share: float, shift: float
) -> Floats:
    """[B, 4]: log a, log b, log d and the logit of the constant; the first two from a line through log(e - c)."""
    target = np.log(errors - share * lowest[:, None])
    columns = np.stack([np.ones_like(errors), -np.log(scaled + shift)], 2)
    log_a, b = solved_lines(columns, target, weights).T
    fixed = np.ones((len(errors), 1))
    log_b = np.log(np.clip(b, 0.02, 5.0))
    return np.concatenate([np.stack([log_a, log_b], 1), np.log(shift) * fixed, logit(share) * fixed], 1)
