"""Intervals for new classes, from the delete-one-class jackknife.

N ways, C units (the classes that episodes sample from, or groups of classes), T the mean over episodes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fewshot.statistics.delete_one import delete_one, jackknife_variance, pseudo_values, variance_for_new
from fewshot.statistics.interval import FRACTION, Floats, Interval, around
from fewshot.statistics.skewed import SkewedT
from fewshot.statistics.students_t import quantile
from fewshot.statistics.units import Units, few_units


def class_interval(values: Floats, units: Units, level: float = 0.95, half_query: float | None = None) -> Interval:
    """The interval for *new classes*, from the delete-one-class jackknife.

    T_-c is the mean over the episodes without unit c (stratified by the number of ways), and V is (C-1)/C times the
    sum over c of (T_-c - mean)^2. Deleting a class also deletes its episodes, so V counts the variance of a finite
    number of episodes (C-1) N / (C-N) times; the interval counts it once. `half_query` is half of one query's share of
    the mean: `values` are then fractions, and the interval is computed on the logit scale with the quantile of t(C-1),
    clamped by `half_query`, and mapped back. Without it, the interval is on the scale of the values, and `SkewedT`
    corrects it for their skewness and heavy tails.
    """
    if half_query is None:
        return class_test(values, units, level)[0]
    without, mean = delete_one(values, units), float(values.mean())
    reason = no_bounds(mean, without, units, half_query)
    if reason:
        return Interval.unknown(mean, f"new {units.name}", level, reason)
    variance, noise = variance_for_new(values, without, units)
    spread = jackknife_variance(without)
    share = variance / spread if spread > 0 else 1.0
    return replace(deleted_interval(mean, without, units, level, half_query, share), monte_carlo=noise)


def class_test(values: Floats, units: Units, level: float = 0.95) -> tuple[Interval, float]:
    """The interval for new classes on the scale of the values, and its p-value of "the mean is 0"."""
    without, mean = delete_one(values, units), float(values.mean())
    population = f"new {units.name}"
    if reason := no_bounds(mean, without, units, None):
        return Interval.unknown(mean, population, level, reason), float("nan")
    variance, noise = variance_for_new(values, without, units)
    distribution = SkewedT.of(pseudo_values(mean, without), variance)
    low, high = distribution.bounds(mean, level)
    interval = Interval(mean, float(low), float(high), population, level, variance**0.5, noise)
    return interval, float(distribution.p_value(mean))


def deleted_interval(
    mean: float,
    without: Floats,
    units: Units,
    level: float = 0.95,
    half_query: float | None = None,
    share: float = 1.0,
) -> Interval:
    """The interval for *new classes* of any statistic: `mean` over all episodes, and `without` [C] over the episodes
    that do not hold unit c (NaN if too few are left). `share`: the part of the jackknife's variance that is real."""
    population, reason = f"new {units.name}", no_bounds(mean, without, units, half_query)
    if reason:
        return Interval.unknown(mean, population, level, reason)
    plain = float(np.sqrt(share * jackknife_variance(without)))
    if half_query is None:
        return around(mean, plain, units.n_units - 1, population, level)
    clamp = _clamp(mean, half_query)
    error = float(np.sqrt(share * jackknife_variance(_logit(without, clamp))))
    middle = float(_logit(np.array([mean]), clamp)[0])
    low, high = (_fraction(middle + side * quantile(0.5 + level / 2, units.n_units - 1) * error) for side in (-1, 1))
    return Interval(mean, low, high, population, level, plain).inside(FRACTION)


def no_bounds(mean: float, without: Floats, units: Units, half_query: float | None) -> str:
    """Why there is no interval for new classes; "" if there is one. Rows store the reason."""
    if not units.are_enough:
        return few_units(units.n_units, units.name)
    if np.isnan(without).any():
        return f"every episode holds every one of the {units.name}" if _all_held(units) else _too_few(units)
    if half_query is not None and not 0 < mean < 1:
        return f"all answers are {'right' if mean == 1 else 'wrong'}: the spread over {units.name} cannot be seen"
    return ""


def _clamp(mean: float, half_query: float) -> float:
    """The distance that the logit scale keeps from 0 and 1: half of one query's share, or half of the distance of the
    mean if that is less, as for a ranking measure, so that the mean itself is never clamped."""
    distance = min(mean, 1 - mean)
    return half_query if distance > 1.999 * half_query else distance / 2


def _logit(p: Floats, clamp: float) -> Floats:
    clamped = np.clip(p, clamp, 1 - clamp)
    return np.asarray(np.log(clamped) - np.log1p(-clamped))


def _fraction(logit: float) -> float:
    with np.errstate(over="ignore"):  # exp overflows to infinity, and the fraction is 0
        return float(1 / (1 + np.exp(-logit)))


def _all_held(units: Units) -> bool:
    return bool((units.n_way >= units.n_units).all())


def _too_few(units: Units) -> str:
    return f"some of the {units.n_units} {units.name} are in every episode of their number of ways; draw more episodes"
