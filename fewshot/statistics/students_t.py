"""Quantiles and tail probabilities of Student's t and of the normal distribution.

The numbers are those of scipy.stats to the last bit, from the functions of scipy.special that it calls: importing
scipy.stats takes half a second, which is longer than the rest of a command that only shows finished rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quantile(probability: float, freedom: float) -> float:
    """The quantile of t with these degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def quantiles(probability: float, freedom: Floats) -> Floats:
    """[...] the quantiles of t with each of the degrees of freedom [...]."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, probability), dtype=np.float64)


def normal_quantile(probability: float) -> float:
    """The quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def two_sided(ratio: Floats | float, freedom: Floats | float) -> Floats:
    """[...] the probability that |t| is larger than |ratio| [...]: the p-value of "the mean is 0"."""
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(freedom, -np.abs(ratio)), dtype=np.float64)
