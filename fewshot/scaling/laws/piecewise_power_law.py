"""A quadratic in log-log, continued by its tangent: `PiecewisePowerLaw`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fewshot.scaling.laws import Fit, Floats, Law, Meaning, log_rmse

_PLACES = 61  # places of n_star, evenly over the range of log x


@dataclass(frozen=True)
class PiecewisePowerLaw(Law):
    """A quadratic in log-log up to n_star; beyond it, its tangent, a power law.

    After Jain et al. 2023 (arXiv 2303.01598). Their formula could not be read, so the form is ours. Least squares of
    log e, in closed form for each of 61 places of n_star; the best wins. The law may rise.
    """

    a: Annotated[float, Meaning("log error at x = 1")]
    b: Annotated[float, Meaning("slope of log e over log x, at x = 1")]
    c: Annotated[float, Meaning("curvature of log e over log x")]
    n_star: Annotated[float, Meaning("where the curve becomes a power law", "x")]
    formula: ClassVar[str] = "log e = a + b ln x + c (ln x)^2, tangent beyond n_star"

    def predict(self, x: ArrayLike) -> Floats:
        log_x, end = np.log(np.asarray(x, float)), np.log(self.n_star)
        inside = np.minimum(log_x, end)
        beyond = (self.b + 2 * self.c * end) * (log_x - inside)
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.a + self.b * inside + self.c * inside**2 + beyond))

    def falls_from(self) -> float:
        return super().falls_from() if self.c >= 0 else -self.b / (2 * self.c)

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        points = zip(np.broadcast_to(x, errors.shape), errors, weights, strict=True)
        return [cls._fit_one(x[w > 0], e[w > 0], w[w > 0]) for x, e, w in points]

    @classmethod
    def _fit_one(cls, x: Floats, errors: Floats, weights: Floats) -> Fit:
        middle = float(np.average(np.log(x), weights=weights))
        away, root = np.log(x) - middle, np.sqrt(weights)
        places = np.linspace(away.min(), away.max(), _PLACES)[1:]
        inside = np.minimum(away, places[:, None])  # [places, n]
        bend = inside**2 + 2 * places[:, None] * (away - inside)
        columns = np.stack([np.ones_like(bend), np.broadcast_to(away, bend.shape), bend], 2)
        target = np.log(errors) * root
        solved = np.linalg.pinv(columns * root[:, None]) @ target  # [places, 3]
        losses = ((np.einsum("snp,sp->sn", columns, solved) * root - target) ** 2).sum(1)
        best = int(losses.argmin())
        a, b, c = solved[best].tolist()
        # a + b (u - m) + c (u - m)^2 = (a - b m + c m^2) + (b - 2 c m) u + c u^2
        law = cls(a - b * middle + c * middle**2, b - 2 * c * middle, c, float(np.exp(places[best] + middle)))
        return Fit(law, log_rmse(law, x, errors, weights))
