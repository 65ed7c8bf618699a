"""A power law from chance to an irreducible error: `M4`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fewshot.scaling.laws import Fit, Floats, Law, Meaning
from fewshot.scaling.laws._alternation import alternate
from fewshot.scaling.laws._log_lines import fits_of_alternation


@dataclass(frozen=True)
class M4(Law):
    """A power law that starts at chance and ends at an error that no resource removes.

    Residual: log(e - e_inf) - alpha log(e_0 - e) - log beta - c log x. log beta, -c and alpha are not negative. e_inf
    as in M2. e_0 in [max(e) + 0.001, 1.001] from 1. `predict` inverts the law by bisection (published: the nearest of
    10 000 values).
    """

    beta: Annotated[float, Meaning("scale of the normalised error", "error times x^-c")]
    c: Annotated[float, Meaning("exponent of the normalised error")]
    alpha: Annotated[float, Meaning("how slowly the error leaves chance")]
    e_inf: Annotated[float, Meaning("error at infinite x", "error")]
    e_0: Annotated[float, Meaning("error of chance", "error")]
    formula: ClassVar[str] = "(e - e_inf) / (e_0 - e)^alpha = beta x^c"
    for_losses: ClassVar[bool] = False
    _joint: ClassVar[bool] = False

    def predict(self, x: ArrayLike) -> Floats:
        excess = np.asarray(self.beta * np.asarray(x, float) ** self.c)
        if self.alpha < 1e-5:
            return self.e_inf + excess
        low, high = np.full(excess.shape, self.e_inf), np.full(excess.shape, self.e_0)
        for _ in range(60):  # e - e_inf - excess (e_0 - e)^alpha rises with e
            middle = (low + high) / 2
            above = middle - self.e_inf > excess * (self.e_0 - middle) ** self.alpha
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.asarray((low + high) / 2)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        ended = alternate(x, errors, weights, with_chance=True, joint=cls._joint)
        bounds = zip(ended.coefficients, ended.e_inf, ended.e_0, strict=True)
        laws = [cls(*map(float, (np.exp(a), -c, alpha, e_inf, e_0))) for (a, c, alpha), e_inf, e_0 in bounds]
        return fits_of_alternation(laws, ended, x, errors, weights)
