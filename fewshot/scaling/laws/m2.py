"""A power law above an irreducible error: `M2`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fewshot.scaling.laws import Fit, Floats, Law, Meaning
from fewshot.scaling.laws._alternation import alternate
from fewshot.scaling.laws._log_lines import fits_of_alternation


@dataclass(frozen=True)
class M2(Law):
    """A power law above an error that no resource removes.

    Residual: log(e - e_inf) - log beta - c log x; e_inf by alternation from min(e) - 0.001, in [0, min(e) - 0.001].
    """

    beta: Annotated[float, Meaning("error above e_inf at x = 1", "error times x^-c")]
    c: Annotated[float, Meaning("exponent of the error above e_inf")]
    e_inf: Annotated[float, Meaning("error at infinite x", "error")]
    formula: ClassVar[str] = "e - e_inf = beta x^c"
    for_budgets: ClassVar[bool] = True

    def predict(self, x: ArrayLike) -> Floats:
        return np.asarray(self.e_inf + self.beta * np.asarray(x, float) ** self.c)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        ended = alternate(x, errors, weights, with_chance=False)
        ends = zip(ended.coefficients, ended.e_inf, strict=True)
        laws = [M2(float(np.exp(a)), float(c), float(e)) for (a, c), e in ends]
        return fits_of_alternation(laws, ended, x, errors, weights)
