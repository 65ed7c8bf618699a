"""Scores over labelled images, four forms that together bracket the truth (Mahmood et al. 2022, arXiv 2207.01725).

v, the score in percent, is 100 (1 - e). Least squares of v, from several starts. They are for planning a budget: the
arctangent over-estimates the need, the others under-estimate it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewshot.scaling.laws import Fit, Floats, Law, log_rmse, parameter
from fewshot.scaling.laws._least_squares import solve

_Numbers = Floats | float


@dataclass(frozen=True)
class BudgetLaw(Law):
    """A score v(n) that rises with labels, of three parameters."""

    theta1: float = parameter("scale, see the formula")
    theta2: float = parameter("shape, see the formula")
    theta3: float = parameter("offset of the score", "percent")
    starts: ClassVar[tuple[tuple[float, float, float], ...]]  # of theta1, theta2 and theta3 / 100, for n / unit

    @staticmethod
    @abstractmethod
    def score(n: Floats, theta1: _Numbers, theta2: _Numbers) -> Floats:
        """v - theta3, in percent."""

    @staticmethod
    def unit(x: Floats, weights: Floats) -> Floats:
        """[B] what n is divided by during the fit: its geometric mean."""
        return np.asarray(np.exp((weights * np.log(x)).sum(1) / weights.sum(1)))

    @classmethod
    @abstractmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        """The law of n from theta [3] of the law of n / unit."""

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

        def model(given: Floats) -> Floats:
            return cls.score(scaled[rows], given[:, :1], given[:, 1:2]) / 100 + given[:, 2:]

        solved = solve(model, np.repeat(np.array(cls.starts)[None], len(errors), 0), targets, weights)
        laws = [cls.unscaled(t * [1, 1, 100], u) for t, u in zip(solved.parameters, unit.tolist(), strict=True)]
        each = zip(laws, x, errors, weights, solved.converged.tolist(), strict=True)
        return [
            Fit(law, log_rmse(law, row[w > 0], e[w > 0], w[w > 0]), converged, note="" if converged else _NOTE)
            for law, row, e, w, converged in each
        ]


_NOTE = "the last steps still lowered the loss"


@dataclass(frozen=True)
class PowerBudget(BudgetLaw):
    """v = theta1 n^theta2 + theta3."""

    formula = "v = theta1 n^theta2 + theta3"
    starts = ((-20.0, -0.5, 0.8), (-40.0, -0.2, 1.0), (20.0, 0.3, 0.3))

    @staticmethod
    def score(n: Floats, theta1: _Numbers, theta2: _Numbers) -> Floats:
        return np.asarray(theta1 * n**theta2)

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        return cls(float(theta[0] * unit ** -theta[1]), float(theta[1]), float(theta[2]))


@dataclass(frozen=True)
class ArctanBudget(BudgetLaw):
    """v = (200 / pi) arctan(theta1 (pi / 2) n + theta2) + theta3."""

    formula = "v = (200 / pi) arctan(theta1 (pi / 2) n + theta2) + theta3"
    starts = ((0.3, 0.3, 0.0), (1.0, 1.0, 0.0), (0.1, 1.0, 0.2), (0.02, 0.2, 0.2))

    @staticmethod
    def score(n: Floats, theta1: _Numbers, theta2: _Numbers) -> Floats:
        return np.asarray(200 / np.pi * np.arctan(theta1 * np.pi / 2 * n + theta2))

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        return cls(float(theta[0] / unit), float(theta[1]), float(theta[2]))


@dataclass(frozen=True)
class LogarithmBudget(BudgetLaw):
    """v = theta1 log(n + theta2) + theta3."""

    formula = "v = theta1 log(n + theta2) + theta3"
    starts = ((10.0, 0.1, 0.6), (10.0, 1.0, 0.5), (5.0, 0.01, 0.7))

    @staticmethod
    def score(n: Floats, theta1: _Numbers, theta2: _Numbers) -> Floats:
        return np.asarray(theta1 * np.log(n + theta2))

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        # theta1 log(n / unit + theta2) = theta1 log(n + unit theta2) - theta1 log(unit)
        return cls(float(theta[0]), float(theta[1] * unit), float(theta[2] - theta[0] * np.log(unit)))


@dataclass(frozen=True)
class AlgebraicBudget(BudgetLaw):
    """v = 100 n / (1 + |theta1 n|^theta2)^(1 / theta2) + theta3; its scale of n is fixed by the 100."""

    formula = "v = 100 n / (1 + |theta1 n|^theta2)^(1 / theta2) + theta3"
    starts = ((1.5, 0.5, 0.0), (2.0, 0.3, 0.2), (1.2, 0.2, 0.0), (1.5, 1.0, 0.3))

    @staticmethod
    def score(n: Floats, theta1: _Numbers, theta2: _Numbers) -> Floats:
        return np.asarray(100 * n / (1 + abs(theta1 * n) ** theta2) ** (1 / theta2))

    @staticmethod
    def unit(x: Floats, weights: Floats) -> Floats:
        return np.ones(len(x))

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        return cls(float(theta[0]), float(theta[1]), float(theta[2]))
