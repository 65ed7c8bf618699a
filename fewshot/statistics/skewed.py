"""Student's t for the mean of few values that may be skewed or heavy-tailed, such as what each class adds to a result.

Two corrections of the usual interval, both from the values themselves:

- Hall's cubic transformation (Hall 1992, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54)
  moves both bounds towards the longer tail. It can be inverted, so the p-value belongs to the same interval.
- The degrees of freedom are those of a variance whose values have this excess kurtosis: Var(s^2) = s^4 (2 / (C-1) +
  kurtosis / C), so 2 / (2 / (C-1) + kurtosis / C) in place of C-1; but at least (C-1) / 3 and 1, so that large
  differences can have small p-values.

`python benchmarks/coverage.py` shows what they change: a difference over 7 heavy-tailed classes is covered in 94 %, by
the plain jackknife in 89 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SkewedT:
    """The distribution of (estimate - truth) / error, for the mean of C values."""

    error: float  # standard error of the mean
    skewness: float  # of the values, divided by sqrt(C)
    freedom: float

    @staticmethod
    def of(values: Floats, variance: float) -> SkewedT:
        """From the values [C], at least 3. `variance` is that of the mean, if some of their spread is known to be noise
        that the mean does not have; then fewer degrees of freedom are left."""
        count, centred = len(values), values - values.mean()
        second = float((centred**2).mean())
        spread = second / (count - 1)  # variance of the mean, from the values alone
        if spread <= 0 or variance <= 0:
            return SkewedT(0.0, 0.0, count - 1.0)
        third, fourth = float((centred**3).mean()) / second**1.5, float((centred**4).mean()) / second**2
        skewness = third * (count * (count - 1)) ** 0.5 / (count - 2)
        scale = (count - 1) / ((count - 2) * (count - 3)) if count > 3 else 0.0
        kurtosis = max(0.0, scale * ((count + 1) * fourth - 3 * (count - 1)))
        freedom = 2 / (2 / (count - 1) + kurtosis / count) * min(1.0, variance / spread) ** 2
        return SkewedT(variance**0.5, skewness / count**0.5, max(1.0, (count - 1) / 3, freedom))

    def bounds(self, mean: float, level: float) -> tuple[float, float]:
        """The interval around the mean at this level."""
        from scipy.stats import t

        far = float(t.ppf(0.5 + level / 2, self.freedom))
        return mean - self.error * self._back(far), mean - self.error * self._back(-far)

    def p_value(self, mean: float) -> float:
        """The two-sided p-value of "the truth is 0": below 1 - level where `bounds` at this level exclude 0."""
        from scipy.stats import t

        if self.error == 0:
            return 1.0 if mean == 0 else 0.0
        ratio, skew = mean / self.error, self.skewness
        moved = ratio + skew * ratio**2 / 3 + skew**2 * ratio**3 / 27 + skew / 6
        return float(2 * t.sf(abs(moved), self.freedom))

    def _back(self, quantile: float) -> float:
        """The ratio (estimate - truth) / error at a quantile of t: the inverse of Hall's transformation."""
        skew = self.skewness
        if abs(skew) < 1e-8:
            return quantile
        return float(3 / skew * (np.cbrt(1 + skew * (quantile - skew / 6)) - 1))
