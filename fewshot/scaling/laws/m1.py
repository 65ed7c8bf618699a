"""A power law: `M1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fewshot.scaling.laws import Fit, Floats, Law, Meaning
from fewshot.scaling.laws._log_lines import fits_of, lines


@dataclass(frozen=True)
class M1(Law):
    """A power law: a line in log-log, fitted by ordinary least squares of log e, in closed form (Alabdulmohsin,
    Neyshabur, Zhai 2022, arXiv 2209.06640, as M2 to M4)."""

    beta: Annotated[float, Meaning("error at x = 1", "error times x^-c")]
    c: Annotated[float, Meaning("exponent: slope of log e over log x")]
    formula: ClassVar[str] = "e = beta x^c"

    def predict(self, x: ArrayLike) -> Floats:
        return np.asarray(self.beta * np.asarray(x, float) ** self.c)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        log_beta, c = lines(np.log(x), np.log(errors), weights)
        laws = [M1(float(np.exp(a)), float(b)) for a, b in zip(log_beta, c, strict=True)]
        return fits_of(laws, x, errors, weights)
