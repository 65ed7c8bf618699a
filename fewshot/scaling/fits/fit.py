"""Fits of every curve by every law, with intervals, extrapolation errors and trust."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.scaling.fits.curves import Curve
from fewshot.scaling.fits.intervals import Estimate, over_points, over_seeds
from fewshot.scaling.fits.trust import Trust, trust_all
from fewshot.scaling.laws import Fit, Law, log_rmse, named


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A law fitted to a curve."""

    curve: Curve
    law: type[Law]
    estimate: Estimate
    trust: Trust
    rmse_rest: float | None  # of log e at the points that were not fitted; None without such points
    chosen: bool = False  # whether it predicts the held-back sizes best of all laws fitted to the curve

    def values(self) -> dict[str, object]:
        """Values for JSON; None for numbers that are not finite."""
        fit, curve = self.estimate.fit, self.curve
        return {
            "curve": curve.key,
            "metric": curve.scores.metric if curve.scores else None,
            "percent": curve.scores.percent if curve.scores else None,
            "law": self.law.__name__,
            "formula": self.law.formula,
            "parameters": fit.law.values(),
            "interval": {n: [_finite(low), _finite(self.estimate.high[n])] for n, low in self.estimate.low.items()},
            "interval_of": self.estimate.how,
            "rmse_fit": _finite(fit.rmse),
            "rmse_rest": _finite(self.rmse_rest),
            "n_fit": len(curve.points.x),
            "n_rest": len(curve.rest_x),
            "rest_reaches": _finite(curve.rest_x.max() / curve.points.x.max()) if len(curve.rest_x) else None,
            "n_repeated": curve.n_repeated,
            "converged": fit.converged,
            "rounds": fit.rounds,
            "note": fit.note,
            "trusted": self.trust.trusted,
            "trust": self.trust.sentence,
            "rmse_held_back": _finite(self.trust.miss),
            "chosen": self.chosen,
            "largest_x": self.trust.largest,
        }


def fit_all(curves: Sequence[Curve], laws: Sequence[str], draws: int = 100, seed: int = 0) -> list[CurveFit]:
    """Every curve fitted by every law, curve by curve. `draws`: resamples for the intervals, 0 for none."""
    points = [curve.points for curve in curves]
    _check_sizes(curves, [named(name) for name in laws])
    by_law = []
    for law in map(named, laws):
        fits, trusts = law.fit_curves(points), trust_all(law, points)
        by_law.append([_curve_fit(c, law, fit, t, draws, seed) for c, fit, t in zip(curves, fits, trusts, strict=True)])
    return [fit for own in zip(*by_law, strict=True) for fit in _with_choice(own)]


def _with_choice(fits: Sequence[CurveFit]) -> list[CurveFit]:
    """The fits of one curve. `chosen` is the one with the smallest miss, of those that hold back the most sizes."""
    most = max(each.trust.n_held for each in fits)
    tested = [each for each in fits if most and each.trust.n_held == most]
    best = min(tested, key=lambda each: each.trust.miss, default=None)
    return [dataclasses.replace(each, chosen=each is best) for each in fits]


def _check_sizes(curves: Sequence[Curve], laws: Sequence[type[Law]]) -> None:
    for curve in curves:
        sizes = len(np.unique(curve.points.x))
        short = [law for law in laws if law.fewest_points() > sizes]
        if short:
            law = short[0]
            raise ValueError(
                f"{law.__name__} has {law.size()} parameters and needs {law.fewest_points()} different x, but the "
                f"curve {curve.name} has {sizes}; measure more sizes or omit the law"
            )


def _curve_fit(curve: Curve, law: type[Law], fit: Fit, trust: Trust, draws: int, seed: int) -> CurveFit:
    if curve.seeds is None or not draws:
        estimate = over_points(law, curve.points.x, curve.points.errors, draws, seed, fit=fit, most=curve.points.most)
    else:
        estimate = over_seeds(law, curve.points.x, curve.seeds, draws, seed, most=curve.points.most)
    rest = log_rmse(fit.law, curve.rest_x, curve.rest_errors) if len(curve.rest_x) else None
    return CurveFit(curve, law, estimate, trust, rest)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
