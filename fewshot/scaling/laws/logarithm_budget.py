"""A score that is a logarithm of the labels: `LogarithmBudget`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats
from fewshot.scaling.laws._budget import BudgetLaw, Numbers


@dataclass(frozen=True)
class LogarithmBudget(BudgetLaw):
    """A score over labels that is a logarithm of them."""

    formula: ClassVar[str] = "v = theta1 log(n + theta2) + theta3"
    for_budgets: ClassVar[bool] = True
    for_losses: ClassVar[bool] = False
    starts = ((10.0, 0.1, 0.6), (10.0, 1.0, 0.5), (5.0, 0.01, 0.7))

    @staticmethod
    def score(n: Floats, theta1: Numbers, theta2: Numbers) -> Floats:
        return np.asarray(theta1 * np.log(n + theta2))

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        # theta1 log(n / unit + theta2) = theta1 log(n + unit theta2) - theta1 log(unit)
        return cls(float(theta[0]), float(theta[1] * unit), float(theta[2] - theta[0] * np.log(unit)))
