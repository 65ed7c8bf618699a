"""Student's t for the mean of few values that may be skewed or heavy-tailed, such as what each class adds to a result.

Two corrections of the usual interval, both from the values themselves:

- Hall's cubic transformation (Hall 1992, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54)
  moves both bounds towards the longer tail. It can be inverted, so the p-value belongs to the same interval. The cubic
  is flat at -3 / skewness. With few values that point lies among the usual quantiles, and there its inverse turns a
  little skewness into any bound; so where its slope falls below 0.36, its tangent takes its place.
- The degrees of freedom are those of a variance whose values have this excess kurtosis: Var(s^2) = s^4 (2 / (C-1) +
  kurtosis / C), so 2 / (2 / (C-1) + kurtosis / C) in place of C-1; but at least (C-1) / 3 and 1, so that large
  differences can have small p-values.

`python benchmarks/coverage.py` shows what they change: a difference over 7 heavy-tailed classes is covered in 94 %, by
the plain jackknife in 89 %. The tangent costs at most 0.4 % of coverage, and saves 11 to 18 %
of the width with 7 to 12 classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.statistics.students_t import quantiles, two_sided

Floats = NDArray[np.float64]
_SMALLEST = 1e-150  # second moment; the fourth of smaller values is 0 in float64
_JOIN = 0.6  # 1 + skewness * ratio / 3, the root of the slope, from which on down the tangent replaces the cubic


@dataclass(frozen=True, eq=False)
class SkewedT:
    """The distribution of (estimate - truth) / error, for the mean of C values; or of many means [...] at once."""

    error: Floats  # [...] standard error of the mean
    skewness: Floats  # [...] of the values, divided by sqrt(C)
    freedom: Floats  # [...]

    @staticmethod
    def of(values: Floats, variance: Floats | float) -> SkewedT:
        """From the values [..., C], at least 3. `variance` [...] is that of the mean, if some of their spread is known
        to be noise that the mean does not have; then fewer degrees of freedom are left."""
        count = values.shape[-1]
        centred = values - values.mean(-1, keepdims=True)
        square = centred**2
        second = square.mean(-1)
        spread = second / (count - 1)  # variance of the mean, from the values alone
        known = (second > _SMALLEST) & (np.asarray(variance) > 0)
        safe = np.where(known, second, 1.0)
        third, fourth = (square * centred).mean(-1) / safe**1.5, (square**2).mean(-1) / safe**2
        skewness = third * (count * (count - 1)) ** 0.5 / (count - 2)
        scale = (count - 1) / ((count - 2) * (count - 3)) if count > 3 else 0.0
        kurtosis = np.maximum(0.0, scale * ((count + 1) * fourth - 3 * (count - 1)))
        left = np.minimum(1.0, variance / np.where(known, spread, 1.0))
        freedom = np.maximum(max(1.0, (count - 1) / 3), 2 / (2 / (count - 1) + kurtosis / count) * left**2)
        return SkewedT(
            np.where(known, np.sqrt(np.maximum(variance, 0.0)), 0.0),
            np.where(known, skewness / count**0.5, 0.0),
            np.where(known, freedom, count - 1.0),
        )

    def bounds(self, mean: Floats | float, level: float) -> tuple[Floats, Floats]:
        """The intervals around the means [...] at this level."""
        far = quantiles(0.5 + level / 2, self.freedom)
        return mean - self.error * self._back(far), mean - self.error * self._back(-far)

    def p_value(self, mean: Floats | float) -> Floats:
        """The two-sided p-values [...] of "the truth is 0": below 1 - level where `bounds` at this level exclude 0."""
        known = self.error > 0
        moved = self._forth(mean / np.where(known, self.error, 1.0))
        without = np.where(np.asarray(mean) == 0, 1.0, 0.0)
        return np.asarray(np.where(known, two_sided(moved, self.freedom), without), dtype=np.float64)

    def _forth(self, ratio: Floats) -> Floats:
        """Hall's transformation of the ratios (estimate - truth) / error, with its tangent where it is nearly flat."""
        skew = self.skewness
        cubic = ratio + skew * ratio**2 / 3 + skew**2 * ratio**3 / 27 + skew / 6
        root = 1 + skew * ratio / 3
        steep = (root >= _JOIN) | (skew == 0)
        tangent = (_JOIN**3 + 3 * _JOIN**2 * (root - _JOIN) - 1) / np.where(steep, 1.0, skew) + skew / 6
        return np.asarray(np.where(steep, cubic, tangent), dtype=np.float64)

    def _back(self, quantile: Floats) -> Floats:
        """The ratios (estimate - truth) / error at quantiles of t: the inverse of `_forth`."""
        skewed = np.abs(self.skewness) >= 1e-8
        skew = np.where(skewed, self.skewness, 1.0)
        cube = 1 + skew * (quantile - skew / 6)
        root = np.where(cube >= _JOIN**3, np.cbrt(cube), _JOIN + (cube - _JOIN**3) / (3 * _JOIN**2))
        return np.asarray(np.where(skewed, 3 / skew * (root - 1), quantile), dtype=np.float64)
