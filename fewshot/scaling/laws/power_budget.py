"""A score that is a power of the labels: `PowerBudget`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats
from fewshot.scaling.laws._budget import BudgetLaw, Numbers


@dataclass(frozen=True)
class PowerBudget(BudgetLaw):
    """A score over labels that is a power of them (Mahmood et al. 2022, arXiv 2207.01725, as the other budgets)."""

    formula: ClassVar[str] = "v = theta1 n^theta2 + theta3"
    for_budgets: ClassVar[bool] = True
    for_losses: ClassVar[bool] = False
    starts = ((-20.0, -0.5, 0.8), (-40.0, -0.2, 1.0), (20.0, 0.3, 0.3))

    @staticmethod
    def score(n: Floats, theta1: Numbers, theta2: Numbers) -> Floats:
        return np.asarray(theta1 * n**theta2)

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        return cls(float(theta[0] * unit ** -theta[1]), float(theta[1]), float(theta[2]))
