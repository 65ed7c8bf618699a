"""Quantiles and tail probabilities of Student's t and of the normal distribution.

The numbers are those of scipy.stats to the last bit, from the functions of scipy.special that it calls: importing
scipy.stats takes half a second, which is longer than the rest of a command that only shows finished rows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@lru_cache(maxsize=4096)
def quantile(probability: float, freedom: float) -> float:
    """The quantile of t with these degrees of freedom; that of the normal distribution for infinitely many. A
    comparison asks for the same few again and again."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(probability) if np.isinf(freedom) else stdtrit(freedom, probability))


def quantiles(probability: float, freedom: Floats) -> Floats:
    """[...] the quantiles of t with each of the degrees of freedom [...]."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, probability), dtype=np.float64)


def two_sided(ratio: Floats | float, freedom: Floats | float) -> Floats:
    """[...] the probability that |t| is larger than |ratio| [...]: the p-value of "the mean is 0"."""
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(freedom, -np.abs(ratio)), dtype=np.float64)
