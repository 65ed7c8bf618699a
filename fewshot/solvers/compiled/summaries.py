"""The summary of the logits of every query, in one pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.solvers.compiled import compiled


@compiled
def summarise(
    first: int,
    last: int,
    logits: NDArray[Any],
    truth: NDArray[np.int32],
    predicted: NDArray[np.uint16],
    confidence: NDArray[np.float32],
    log_probability: NDArray[np.float32],
) -> None:
    """Fills the first way of the largest logit, its probability, and the true way's log-probability [B, m] from logits
    [B, m, N], for episodes [first, last)."""
    n_query, n_way = logits.shape[1:]
    for e in range(first, last):
        for q in range(n_query):
            row, best = logits[e, q], 0
            for k in range(1, n_way):
                if row[k] > row[best]:
                    best = k
            top, total = float(row[best]), 0.0
            for k in range(n_way):
                total += math.exp(row[k] - top)
            predicted[e, q] = best
            confidence[e, q] = 1.0 / total
            log_probability[e, q] = row[truth[e, q]] - top - math.log(total)
