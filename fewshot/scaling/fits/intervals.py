"""Intervals of fits. Never report an exponent without one.

There are three ways to resample: points of one curve, whole seeds (a seed changes subset, initialisation and order
together, so its whole ladder is resampled), or replicates by the caller, such as means over resampled episodes.
Resamples are a function of the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fewshot.episodes import streams
from fewshot.episodes.draws import words
from fewshot.scaling.laws import Fit, Floats, Law
from fewshot.statistics.students_t import quantile

ONE_SEED = "one seed: no interval"
FEWEST_SEEDS = 5  # with fewer, seeds are not resampled: one fit per seed, and Student's t
_LEAST = 1e-9  # the smallest error, so that its logarithm exists


@dataclass(frozen=True)
class Estimate:
    """A fit with an interval for every parameter; NaN bounds, and the reason in `how`, if there is none."""

    fit: Fit
    low: dict[str, float]
    high: dict[str, float]
    how: str  # what was resampled, and how often
    laws: tuple[Law, ...] = ()  # the fits of the resamples, for bands
    level: float = 0.95
    by_seed: bool = False  # each law is of one seed; too few for percentiles, so bands use Student's t
    most: float = 1.0  # the largest possible error; infinite for losses

    def band(self, x: Floats) -> tuple[Floats, Floats]:
        """The pointwise bounds [n], [n] of the error at every x; NaN if there is no interval."""
        if not self.laws:
            return np.full(np.shape(x), np.nan), np.full(np.shape(x), np.nan)
        errors = np.stack([law.predict(x) for law in self.laws])
        if not self.by_seed:
            return _bounds(errors, self.level)
        logs = np.log(np.maximum(errors, _LEAST))
        half = _half_width(logs, self.level)
        return np.exp(logs.mean(0) - half), np.minimum(np.exp(logs.mean(0) + half), self.most)


def over_points(
    law: type[Law],
    x: Floats,
    errors: Floats,
    count: int = 200,
    seed: int = 0,
    level: float = 0.95,
    fit: Fit | None = None,
    most: float = 1.0,
) -> Estimate:
    """The law fitted to x, errors [n], with percentile intervals from `count` resamples of n points with replacement.
    Resamples with fewer different x than the law has parameters are replaced. `fit`: the fit to these points, if it
    exists already."""
    fit = fit or law.fit(x, errors, most=most)
    if count < 1:
        return _estimate(fit, [], "no resamples", level)
    weights = _resampled_counts(x, law.size(), count, seed)
    fits = law.fit_many(x, np.broadcast_to(errors, weights.shape), weights)
    return _estimate(fit, [f.law for f in fits], f"{count} resamples of the {len(x)} points", level)


def over_seeds(
    law: type[Law],
    x: Floats,
    errors: Floats,
    count: int = 200,
    seed: int = 0,
    level: float = 0.95,
    weights: Floats | None = None,
    most: float = 1.0,
) -> Estimate:
    """The law fitted to the mean over S seeds of errors [S, n] at x [n], points weighted by `weights` [n]. With 5 seeds
    or more, percentile intervals from resamples of whole seeds; with 2 to 4, one fit per seed and mean ± t(S - 1) s /
    sqrt(S) of each parameter."""
    weights = np.ones_like(x) if weights is None else weights
    fit = law.fit(x, errors.mean(0), weights, most)
    if len(errors) < 2:
        return _estimate(fit, [], ONE_SEED, level)
    if len(errors) < FEWEST_SEEDS:
        laws = [f.law for f in law.fit_many(x, errors, np.broadcast_to(weights, errors.shape))]
        low, high = _student(laws, level)
        how = f"one fit for each of {len(errors)} seeds, Student's t"
        return Estimate(fit, low, high, how, tuple(laws), level, True, most)
    means = resampled(errors, count, seed)
    laws = [f.law for f in law.fit_many(x, means, np.broadcast_to(weights, means.shape))]
    return _estimate(fit, laws, f"{count} resamples of {len(errors)} whole seeds", level)


def over_replicates(
    law: type[Law], x: Floats, errors: Floats, replicates: Floats, how: str, level: float = 0.95
) -> Estimate:
    """The law fitted to errors [n] at x [n], with percentile intervals from the caller's replicates [R, n] of the
    errors. `how` describes them. `resampled` makes replicates from episodes."""
    laws = [f.law for f in law.fit_many(x, replicates, np.ones_like(replicates))]
    return _estimate(law.fit(x, errors), laws, how, level)


def resampled(errors: Floats, count: int, seed: int) -> Floats:
    """Means [count, n] over units resampled with replacement, the same units at every x: errors [units, n]."""
    picked = _picks(len(errors), count, seed)
    return np.asarray(errors[picked].mean(1))


@dataclass(frozen=True)
class Difference:
    """A paired difference of one parameter of two fits, with an interval."""

    value: float
    low: float
    high: float
    how: str


def paired_difference(
    law: type[Law],
    name: str,
    x: Floats,
    first: Floats,
    second: Floats,
    count: int = 200,
    seed: int = 0,
    weights: tuple[Floats, Floats] | None = None,
) -> Difference:
    """Parameter `name` of the fit to `second` minus that of the fit to `first`. Both are errors [S, n] of the same
    seeds at x [n]. The 95 % interval uses the same resamples of seeds; below 5 seeds, one difference per seed and
    Student's t. `weights`: of the points [n] in the fits to `first` and `second`."""
    if first.shape != second.shape:
        raise ValueError(f"a paired difference needs the same seeds and x, got errors {first.shape} and {second.shape}")
    weights_first, weights_second = (np.ones_like(x), np.ones_like(x)) if weights is None else weights

    def parameter(errors: Floats, weights: Floats) -> Floats:
        fits = law.fit_many(x, errors, np.broadcast_to(weights, errors.shape))
        return np.array([getattr(f.law, name) for f in fits])

    def difference(of_first: Floats, of_second: Floats) -> Floats:
        return parameter(of_second, weights_second) - parameter(of_first, weights_first)

    value = float(difference(first.mean(0)[None], second.mean(0)[None])[0])
    if len(first) < 2:
        return Difference(value, np.nan, np.nan, ONE_SEED)
    if len(first) < FEWEST_SEEDS:
        low, high = student_bounds(difference(first, second), 0.95)
        return Difference(value, low, high, f"one difference for each of {len(first)} seeds, Student's t")
    differences = difference(resampled(first, count, seed), resampled(second, count, seed))
    low, high = (float(bound) for bound in _bounds(differences, 0.95))
    return Difference(value, low, high, f"{count} resamples of {len(first)} whole seeds")


def student_bounds(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """The mean of values [S] -+ t(S - 1) s / sqrt(S); NaN for fewer than two values."""
    if len(values) < 2:
        return float("nan"), float("nan")
    half = float(_half_width(values, level))
    return float(values.mean() - half), float(values.mean() + half)


def _half_width(values: Floats, level: float) -> Floats:
    """t(S - 1) s / sqrt(S) over the first axis of values [S, ...]."""
    spread = values.std(0, ddof=1) / np.sqrt(len(values))
    return np.asarray(quantile((1 + level) / 2, len(values) - 1) * spread)


def _estimate(fit: Fit, laws: list[Law], how: str, level: float) -> Estimate:
    names = fit.law.parameters()
    if not laws:
        return Estimate(fit, dict.fromkeys(names, np.nan), dict.fromkeys(names, np.nan), how, (), level)
    low, high = _by_name(laws, lambda values: _bounds(values, level))
    return Estimate(fit, low, high, how, tuple(laws), level)


def _student(laws: list[Law], level: float) -> tuple[dict[str, float], dict[str, float]]:
    return _by_name(laws, lambda values: student_bounds(values, level))


def _by_name(
    laws: list[Law], bounds: Callable[[Floats], tuple[Floats | float, Floats | float]]
) -> tuple[dict[str, float], dict[str, float]]:
    by_name = {name: bounds(np.array([getattr(law, name) for law in laws])) for name in laws[0].parameters()}
    return {n: float(low) for n, (low, _) in by_name.items()}, {n: float(high) for n, (_, high) in by_name.items()}


def _bounds(values: Floats, level: float) -> tuple[Floats, Floats]:
    """Percentiles over the first axis."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _picks(size: int, count: int, seed: int) -> Floats:
    """[count, size] integers in [0, size)."""
    uniform = words(seed, np.arange(count, dtype=np.int64), 1, size, streams.FITTED_POINTS)[:, 0]
    return ((uniform * np.uint64(size)) >> np.uint64(32)).astype(np.int64)


def _resampled_counts(x: Floats, fewest: int, count: int, seed: int) -> Floats:
    """[count, n] how often each point is in each of the first `count` resamples with `fewest` different x or more."""
    picks = _picks(len(x), 8 * count + 64, seed)
    enough = [row for row in picks if len(np.unique(x[row])) >= fewest][:count]
    return np.array([np.bincount(row, minlength=len(x)) for row in enough], float).reshape(-1, len(x))
