"""The law of effective data transferred, D_T = k D_F^alpha N^beta, fitted by one regression with censored points.

log(D_T / D_F) is the logit of the fraction D_T / D_E, and linear: log k + (alpha - 1) log D_F + beta log N. Points
whose D_E lies beyond the from-scratch curve are lower bounds: their likelihood is the normal tail above.
Points with D_T <= 0 have no logarithm. They are omitted and counted, and this biases alpha and beta. Deviation from
Hernandez et al. 2021 (arXiv 2102.01293): censoring and intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from fewshot.plugins.wording import agreeing, counted
from fewshot.scaling.laws import Floats
from fewshot.scaling.studies.transfer import FEWEST_DATA, FEWEST_SIZES, Transferred
from fewshot.statistics.students_t import quantile

_WORST = 1e8  # condition number, above which coefficients are meaningless
NAMES = ("k", "alpha", "beta")


@dataclass(frozen=True)
class TransferLaw:
    """D_T = k D_F^alpha N^beta."""

    k: float  # images transferred at D_F = 1, N = 1
    alpha: float  # exponent of D_F: smaller if source and target are closer
    beta: float  # exponent of N: depends on architecture and target

    def transferred(self, images: float, size: float) -> float:
        """D_T for D_F images and a network of this size."""
        return float(self.k * images**self.alpha * size**self.beta)


@dataclass(frozen=True)
class TransferFit:
    """The law with 95 % intervals; no law, and the reason in `note`, if the points do not allow a fit."""

    law: TransferLaw | None
    low: dict[str, float]
    high: dict[str, float]
    n_fitted: int
    n_censored: int
    n_left_out: int
    n_ossified: int
    note: str  # why there is no law, or what biases it


def fit_transfer(points: Sequence[Transferred]) -> TransferFit:
    """k, alpha and beta from points of at least 3 network sizes and 5 numbers of images. Intervals are normal in log k,
    alpha and beta: observed information with quantiles of t(measured points - 3)."""
    roles = Counter(point.role for point in points)
    counts = (roles["fitted"], roles["censored"], roles["left out"], sum(bool(point.ossified) for point in points))
    used = [point for point in points if point.role != "left out"]
    reason = _reason(used)
    if reason:
        return TransferFit(None, {}, {}, *counts, reason)
    matrix = np.array([(1.0, np.log(point.images), np.log(point.size)) for point in used])
    target = np.array([np.log(point.transferred / point.images) for point in used])
    censored = np.array([point.role == "censored" for point in used])
    solved, errors = _censored_regression(matrix, target, censored)
    half = quantile(0.975, counts[0] - len(NAMES)) * errors
    low, high = solved - half, solved + half
    law = TransferLaw(float(np.exp(solved[0])), float(solved[1] + 1), float(solved[2]))
    omitted = f"{counted(counts[2], 'point')} {agreeing(counts[2], 'was', 'were')} omitted"
    note = f"{omitted}, which biases alpha and beta" if counts[2] else ""
    return TransferFit(law, _named(low), _named(high), *counts, note)


def _named(solved: Floats) -> dict[str, float]:
    return dict(zip(NAMES, (float(np.exp(solved[0])), float(solved[1] + 1), float(solved[2])), strict=True))


def _reason(used: Sequence[Transferred]) -> str:
    """Why the law cannot be fitted; "" if it can."""
    sizes, images = {point.size for point in used}, {point.images for point in used}
    measured = [point for point in used if point.role == "fitted"]
    if len(sizes) < FEWEST_SIZES:
        return f"not fitted: network sizes with D_T > 0: {len(sizes)}, needed: {FEWEST_SIZES}"
    if len(images) < FEWEST_DATA:
        return f"not fitted: numbers of images with D_T > 0: {len(images)}, needed: {FEWEST_DATA}"
    if len(measured) <= len(NAMES):
        return f"not fitted: points with a measured D_T > 0: {len(measured)}, needed: {len(NAMES) + 1}"
    matrix = np.array([(1.0, np.log(point.images), np.log(point.size)) for point in used])
    if np.linalg.cond(matrix - np.r_[0.0, matrix[:, 1:].mean(0)]) > _WORST:
        return "not fitted: network size and images vary together in these points; vary one and keep the other fixed"
    return ""


def _censored_regression(matrix: Floats, target: Floats, censored: np.ndarray) -> tuple[Floats, Floats]:
    """Coefficients and standard errors [p] of a normal regression whose `censored` targets are lower bounds."""
    middle = np.r_[0.0, matrix[:, 1:].mean(0)]  # centred, so that log k keeps its precision
    centred = matrix - middle
    start = np.linalg.lstsq(centred, target, rcond=None)[0]
    spread = max(float(np.std(target - centred @ start)), 1e-6)
    solved = np.r_[start, np.log(spread)]
    if censored.any():
        options = {"gtol": 1e-9, "maxiter": 500}
        solved = optimize.minimize(_loss, solved, (centred, target, censored), method="BFGS", options=options).x
    scale = (
        np.exp(solved[-1]) if censored.any() else np.sqrt(((target - centred @ start) ** 2).sum() / (len(target) - 3))
    )
    weight = _information(centred, target, censored, solved)
    covariance = scale**2 * np.linalg.pinv((centred * weight[:, None]).T @ centred)
    back = np.eye(len(middle))
    back[0, 1:] = -middle[1:]
    return back @ solved[:-1], np.sqrt(np.diag(back @ covariance @ back.T))


def _loss(parameters: Floats, matrix: Floats, target: Floats, censored: np.ndarray) -> float:
    scale = np.exp(parameters[-1])
    away = (target - matrix @ parameters[:-1]) / scale
    likelihood = np.where(censored, special.log_ndtr(-away), -(away**2) / 2 - parameters[-1])
    return float(-likelihood.sum())


def _information(matrix: Floats, target: Floats, censored: np.ndarray, parameters: Floats) -> Floats:
    """[n] the information of each point about the mean, in units of 1 / variance: 1, or h (h - z) with hazard h if
    censored."""
    away = (target - matrix @ parameters[:-1]) / np.exp(parameters[-1])
    hazard = np.exp(-(away**2) / 2 - special.log_ndtr(-away)) / np.sqrt(2 * np.pi)
    return np.where(censored, np.clip(hazard * (hazard - away), 0.0, 1.0), 1.0)
