"""A score that is an algebraic function of the labels: `AlgebraicBudget`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats
from fewshot.scaling.laws._budget import BudgetLaw, Numbers


@dataclass(frozen=True)
class AlgebraicBudget(BudgetLaw):
    """A score over labels that is an algebraic function of them; the 100 fixes its scale."""

    formula: ClassVar[str] = "v = 100 n / (1 + |theta1 n|^theta2)^(1 / theta2) + theta3"
    for_budgets: ClassVar[bool] = True
    for_losses: ClassVar[bool] = False
    starts = ((1.5, 0.5, 0.0), (2.0, 0.3, 0.2), (1.2, 0.2, 0.0), (1.5, 1.0, 0.3))

    @staticmethod
    def score(n: Floats, theta1: Numbers, theta2: Numbers) -> Floats:
        return np.asarray(100 * n / (1 + abs(theta1 * n) ** theta2) ** (1 / theta2))

    @staticmethod
    def unit(x: Floats, weights: Floats) -> Floats:
        return np.ones(len(x))

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        return cls(float(theta[0]), float(theta[1]), float(theta[2]))
