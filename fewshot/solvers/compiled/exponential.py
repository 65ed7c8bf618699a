"""The exponential function in vector instructions; a call of the C library would prevent them."""

from __future__ import annotations

import math

import numpy as np

from fewshot.solvers.compiled import compiled

_LEAST = -700.0  # e to the power of less is taken as 1e-304
_LN_2, _PER_LN_2 = math.log(2), 1 / math.log(2)
_SHIFT = 2.0**52 + 1023.0  # the last bits of k + this are the exponent of 2^k
_TAYLOR = tuple(1 / math.factorial(degree) for degree in range(13, -1, -1))  # to 1e-16 on |r| <= ln 2 / 2


@compiled
def exponential(x: float) -> float:
    """e^x for x <= 0, as precise as the rounding of x allows: 2^k e^r with k the integer nearest to x / ln 2."""
    x = max(x, _LEAST)
    k = math.floor(x * _PER_LN_2 + 0.5)
    r = x - k * _LN_2
    total = 0.0
    for coefficient in _TAYLOR:
        total = total * r + coefficient
    power = np.int64(np.float64(k + _SHIFT).view(np.int64) << 52).view(np.float64)
    return total * float(power)
