"""The mean of several laws: `Average`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fewshot.scaling.laws import Fit, Floats, Law, Meaning, log_rmse
from fewshot.scaling.laws.bnsl1 import BNSL1
from fewshot.scaling.laws.m3 import M3
from fewshot.scaling.laws.m4 import M4
from fewshot.scaling.laws.m4_joint import M4Joint
from fewshot.scaling.laws.shifted_power_law import ShiftedPowerLaw

MEMBERS: tuple[type[Law], ...] = (M3, M4, M4Joint, ShiftedPowerLaw, BNSL1)


@dataclass(frozen=True)
class Average(Law):
    """The geometric mean of M3, M4, M4Joint, ShiftedPowerLaw and BNSL1 with equal weights. Laws that bend in different
    ways err in different directions beyond the range. Our law; its weights do not depend on the points."""

    laws: Annotated[tuple[Law, ...], Meaning("the fitted members", "laws")]
    formula: ClassVar[str] = "exp(mean of log e of M3, M4, M4Joint, ShiftedPowerLaw, BNSL1)"
    for_losses: ClassVar[bool] = False

    def predict(self, x: ArrayLike) -> Floats:
        return np.asarray(np.exp(np.mean([np.log(law.predict(x)) for law in self.laws], axis=0)))

    @classmethod
    def fit_many(cls, x: Floats, errors: Floats, weights: Floats) -> list[Fit]:
        each = zip(*(law.fit_many(x, errors, weights) for law in MEMBERS), strict=True)
        rows = zip(np.broadcast_to(x, errors.shape), errors, weights, each, strict=True)
        return [cls._joined(fits, x[w > 0], e[w > 0], w[w > 0]) for x, e, w, fits in rows]

    @classmethod
    def _joined(cls, fits: Sequence[Fit], x: Floats, errors: Floats, weights: Floats) -> Fit:
        law = cls(tuple(fit.law for fit in fits))
        late = ", ".join(type(fit.law).__name__ for fit in fits if not fit.converged)
        return Fit(law, log_rmse(law, x, errors, weights), not late, note=late and f"not converged: {late}")

    def parameters(self) -> dict[str, float]:
        return {}

    def members(self) -> dict[str, Law]:
        return {type(law).__name__: law for law in self.laws}

    @classmethod
    def size(cls) -> int:
        return max(law.size() for law in MEMBERS)
