"""How far a fit may be trusted: refit on the smaller sizes, predict the largest, and refuse to go on where that misses.

What may be said at some x: "measured" inside the fitted range, "extrapolated" up to twice its end after the test
passed, "beyond" further out (never without saying so), "refused" where the test failed or could not be made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewshot.scaling.laws import Floats, Law, log_rmse

TOLERANCE = 0.1  # root mean squared residual of log e at the sizes held back: about 10 % of the error
FARTHEST = 2.0  # times the largest x


@dataclass(frozen=True)
class Trust:
    """What the test said."""

    trusted: bool
    miss: float  # RMSE of log e at the sizes held back; NaN where the test could not be made
    largest: float  # x that was measured
    sentence: str

    def standing(self, x: float) -> str:
        """ "measured", "extrapolated", "beyond" or "refused": what a prediction at x is."""
        if x <= self.largest:
            return "measured"
        if not self.trusted:
            return "refused"
        return "extrapolated" if x <= FARTHEST * self.largest else "beyond"


def trust(law: type[Law], x: Floats, errors: Floats, tolerance: float = TOLERANCE) -> Trust:
    """Fits the law without the sizes above half of the largest x (without the two largest, where those are fewer than
    two or leave too few), and predicts them."""
    sizes = np.unique(x)
    held = _held_back(sizes, law.fewest_points())
    if len(sizes) - len(held) < law.fewest_points():
        need = law.fewest_points() + 2
        sentence = (
            f"not tested: {law.__name__} needs {need} sizes to hold back two, found {len(sizes)}; no extrapolation"
        )
        return Trust(False, float("nan"), float(sizes[-1]), sentence)
    out = np.isin(x, held)
    miss = log_rmse(law.fit(x[~out], errors[~out]).law, x[out], errors[out])
    trusted = miss <= tolerance
    verdict = "good to twice the largest size" if trusted else "no extrapolation"
    sentence = f"fitted without the {len(held)} largest sizes it misses them by {miss:.3f} in log error: {verdict}"
    return Trust(trusted, miss, float(sizes[-1]), sentence)


def _held_back(sizes: Floats, fewest: int) -> Floats:
    upper = sizes[sizes > sizes[-1] / FARTHEST]
    return upper if len(upper) >= 2 and len(sizes) - len(upper) >= fewest else sizes[-2:]
