"""Scores over labelled images: four laws that together bracket the truth (Mahmood et al. 2022, arXiv 2207.01725).

The score v = 100 (1 - e) is in percent. Least squares of v, from several starts. They are for planning a budget: the
arctangent over-estimates the need, the others under-estimate it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewshot.scaling.laws import Fit, Floats, Law, Meaning, log_rmse
from fewshot.scaling.laws._least_squares import STILL_FALLING, solve

Numbers = Floats | float


@dataclass(frozen=True)
class BudgetLaw(Law):
    """A score v(n) that rises with labels, with three parameters."""

    theta1: Annotated[float, Meaning("scale, see the formula")]
    theta2: Annotated[float, Meaning("shape, see the formula")]
    theta3: Annotated[float, Meaning("offset of the score", "percent")]
    starts: ClassVar[tuple[tuple[float, float, float], ...]]  # of theta1, theta2 and theta3 / 100, for n / unit

    @staticmethod
    @abstractmethod
    def score(n: Floats, theta1: Numbers, theta2: Numbers) -> Floats:
        """v - theta3, in percent."""

    @staticmethod
    def unit(x: Floats, weights: Floats) -> Floats:
        """[B] the divisor of n during the fit: its geometric mean."""
        return np.asarray(np.exp((weights * np.log(x)).sum(1) / weights.sum(1)))

    @classmethod
    @abstractmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        """The law in n, given theta [3] of the law in n / unit."""

    def predict(self, x: ArrayLike) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(1 - (self.score(np.asarray(x, float), self.theta1, self.theta2) + self.theta3) / 100)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        used = weights > 0
        x = np.where(used, np.broadcast_to(x, errors.shape), 1.0)
        unit = cls.unit(x, weights)
        scaled, targets = x / unit[:, None], np.where(used, 1 - errors, 0.5)
        rows = np.repeat(np.arange(len(errors)), len(cls.starts))

        def model(theta: Floats) -> Floats:
            return cls.score(scaled[rows], theta[:, :1], theta[:, 1:2]) / 100 + theta[:, 2:]

        solved = solve(model, np.repeat(np.array(cls.starts)[None], len(errors), 0), targets, weights)
        laws = [cls.unscaled(t * [1, 1, 100], u) for t, u in zip(solved.parameters, unit.tolist(), strict=True)]
        each = zip(laws, x, errors, weights, solved.converged.tolist(), strict=True)
        return [
            Fit(law, log_rmse(law, row[w > 0], e[w > 0], w[w > 0]), converged, note="" if converged else STILL_FALLING)
            for law, row, e, w, converged in each
        ]
