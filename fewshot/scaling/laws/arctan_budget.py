"""A score that is an arctangent of the labels: `ArctanBudget`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats
from fewshot.scaling.laws._budget import BudgetLaw, Numbers


@dataclass(frozen=True)
class ArctanBudget(BudgetLaw):
    """A score over labels that is an arctangent of them. It over-estimates the need."""

    formula: ClassVar[str] = "v = (200 / pi) arctan(theta1 (pi / 2) n + theta2) + theta3"
    for_budgets: ClassVar[bool] = True
    for_losses: ClassVar[bool] = False
    starts = ((0.3, 0.3, 0.0), (1.0, 1.0, 0.0), (0.1, 1.0, 0.2), (0.02, 0.2, 0.2))

    @staticmethod
    def score(n: Floats, theta1: Numbers, theta2: Numbers) -> Floats:
        return np.asarray(200 / np.pi * np.arctan(theta1 * np.pi / 2 * n + theta2))

    @classmethod
    def unscaled(cls, theta: NDArray[np.float64], unit: float) -> BudgetLaw:
        return cls(float(theta[0] / unit), float(theta[1]), float(theta[2]))
