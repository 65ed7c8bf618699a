"""Student's t without the start and the cost per call of scipy.stats: the same numbers to the last bit."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@lru_cache(maxsize=4096)
def quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t; that of the normal distribution for infinite degrees of freedom. A comparison asks
    for the same few again and again."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(probability) if np.isinf(freedom) else stdtrit(freedom, probability))


def quantiles(probability: float, freedom: Floats | float) -> Floats:
    """The quantiles [...] for many finite degrees of freedom [...]."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, probability), dtype=np.float64)


def tail(values: Floats | float, freedom: Floats | float) -> Floats:
    """The probabilities [...] that Student's t exceeds these values [...]."""
    from scipy.special import stdtr

    return np.asarray(stdtr(freedom, np.negative(values)), dtype=np.float64)
