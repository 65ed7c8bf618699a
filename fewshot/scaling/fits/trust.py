"""How far to trust a fit: refit on the smaller sizes, predict the largest, refuse to extrapolate if that misses.

The standing of a prediction at x: "measured" inside the fitted range, "extrapolated" up to twice its end if the test
passed, "beyond" further out (always with a warning), "refused" if the test failed or was impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.scaling.laws import Floats, Law, Points, log_rmse

TOLERANCE = 0.1  # root mean squared residual of log e at the held-back sizes: about 10 % of the error
FARTHEST = 2.0  # times the largest x


@dataclass(frozen=True)
class Trust:
    """The outcome of the extrapolation test."""

    trusted: bool
    miss: float  # RMSE of log e at the held-back sizes; NaN if the test was impossible
    largest: float  # the largest measured x
    sentence: str
    n_held: int = 0  # number of held-back sizes
    rises: bool = False  # whether the law rises beyond the largest x

    def standing(self, x: float) -> str:
        """The standing of a prediction at x: "measured", "extrapolated", "beyond" or "refused"."""
        if x <= self.largest:
            return "measured"
        if not self.trusted:
            return "refused"
        return "extrapolated" if x <= FARTHEST * self.largest else "beyond"


def trust(law: type[Law], x: Floats, errors: Floats, tolerance: float = TOLERANCE) -> Trust:
    """How well the law predicts the sizes above half of the largest x when it is fitted without them. If these are
    fewer than two, or leave too few, the two largest sizes are held back."""
    return trust_all(law, [Points(x, errors, np.ones_like(errors))], tolerance)[0]


def trust_all(law: type[Law], curves: Sequence[Points], tolerance: float = TOLERANCE) -> list[Trust]:
    """`trust` for each of several curves."""
    held = [_held_back(law, curve) for curve in curves]
    testable = [number for number, out in enumerate(held) if out.any()]
    fits = law.fit_curves([_part(curves[number], ~held[number]) for number in testable])
    fit_of = dict(zip(testable, fits, strict=True))
    return [
        _judged(fit_of[number].law, curve, held[number], tolerance) if number in fit_of else _untested(law, curve)
        for number, curve in enumerate(curves)
    ]


def _held_back(law: type[Law], curve: Points) -> NDArray[np.bool_]:
    """[n] which points are held back; none if too few would be left."""
    sizes = np.unique(curve.x)
    upper = sizes[sizes > sizes[-1] / FARTHEST]
    if len(upper) < 2 or len(sizes) - len(upper) < law.fewest_points():
        upper = sizes[-2:]
    if len(sizes) - len(upper) < law.fewest_points():
        return np.zeros(len(curve.x), bool)
    return np.isin(curve.x, upper)


def _part(curve: Points, which: NDArray[np.bool_]) -> Points:
    return Points(curve.x[which], curve.errors[which], curve.weights[which], curve.most)


def _judged(law: Law, curve: Points, held: NDArray[np.bool_], tolerance: float) -> Trust:
    miss = log_rmse(law, curve.x[held], curve.errors[held])
    largest = float(curve.x.max())
    ends = law.predict(np.array([largest, FARTHEST * largest]))
    rises = bool(ends[1] > ends[0])
    trusted = miss <= tolerance and not rises
    verdict = "good to twice the largest size" if trusted else "no extrapolation"
    verdict = f"it rises beyond the largest size, {verdict}" if rises else verdict
    count = len(np.unique(curve.x[held]))
    missed = f"misses them by {miss:.3f} in log error" if np.isfinite(miss) else "predicts an error of 0 or below there"
    sentence = f"fitted without the {count} largest sizes, it {missed}: {verdict}"
    return Trust(trusted, miss, largest, sentence, count, rises)


def _untested(law: type[Law], curve: Points) -> Trust:
    needed, given = law.fewest_points() + 2, len(np.unique(curve.x))
    sentence = f"not tested: {law.__name__} needs {needed} sizes to hold two back, got {given}; no extrapolation"
    return Trust(False, float("nan"), float(curve.x.max()), sentence)
