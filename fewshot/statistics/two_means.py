"""The difference of two independent means that are known by their standard errors, such as ours and a published one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.statistics.interval import Interval
from fewshot.statistics.students_t import quantile


@dataclass(frozen=True)
class Error:
    """The standard error of a mean, and the degrees of freedom of its estimate (inf: known)."""

    standard_error: float
    freedom: float = math.inf

    @staticmethod
    def of_draws(values: Sequence[float], depend: bool = False) -> Error:
        """That of the mean of two or more independent values.

        Values that `depend` on each other count as one: their mean is taken to vary as much as each of them does. This
        is too wide if they hardly correlate, and wide enough up to a correlation of (n - 1) / (2 n - 1), .44 for five.
        """
        n = len(values)
        variance = statistics.variance(values)  # exact: that of equal values is 0
        return Error(math.sqrt(variance if depend else variance / n), n - 1)

    @staticmethod
    def of_sum(errors: Sequence[Error]) -> Error:
        """That of a sum of independent parts, with the degrees of freedom of Welch and Satterthwaite; errors that are
        known exactly do not lower them."""
        variance = math.fsum(one.standard_error**2 for one in errors)
        parts = math.fsum(one.standard_error**4 / one.freedom for one in errors)
        return Error(math.sqrt(variance), variance**2 / parts if parts else math.inf)

    @staticmethod
    def of_rounding(digits: int) -> Error:
        """That of a number with so many digits after the point: uniform over one unit of the last."""
        return Error(10.0**-digits / math.sqrt(12))


def difference(a: float, b: float, errors: Sequence[Error], population: str, level: float = 0.95) -> Interval:
    """A minus B with Welch's interval over the independent `errors` of both."""
    both = Error.of_sum(errors)
    if both.standard_error == 0:
        return Interval(a - b, a - b, a - b, population, level, 0.0)
    half = quantile(0.5 + level / 2, both.freedom) * both.standard_error
    return Interval(a - b, a - b - half, a - b + half, population, level, both.standard_error)
