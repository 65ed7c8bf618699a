"""The difference of two independent means that are known by their standard errors, such as ours and a published one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.statistics.intervals import Interval
from fewshot.statistics.students_t import quantile


@dataclass(frozen=True)
class Error:
    """The standard error of a mean, and the degrees of freedom of its estimate (inf: known)."""

    standard_error: float
    freedom: float = math.inf

    @staticmethod
    def of_draws(values: Sequence[float]) -> Error:
        """That of the mean of two or more independent values."""
        mean, n = math.fsum(values) / len(values), len(values)
        return Error(math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n), n - 1)

    @staticmethod
    def of_rounding(digits: int) -> Error:
        """That of a number with so many digits after the point: uniform over one unit of the last."""
        return Error(10.0**-digits / math.sqrt(12))


def difference(a: float, b: float, errors: Sequence[Error], population: str, level: float = 0.95) -> Interval:
    """A minus B with Welch's interval over the independent `errors` of both: t with the degrees of freedom of Welch
    and Satterthwaite, which errors known exactly do not lower."""
    variance = math.fsum(one.standard_error**2 for one in errors)
    if variance == 0:
        return Interval(a - b, a - b, a - b, population, level, 0.0)
    parts = math.fsum(one.standard_error**4 / one.freedom for one in errors)
    freedom = variance**2 / parts if parts else math.inf
    half = quantile(0.5 + level / 2, freedom) * math.sqrt(variance)
    return Interval(a - b, a - b - half, a - b + half, population, level, math.sqrt(variance))
