"""Float64 logits in a shorter type, such that logits which differ stay different.

Cosines of features with a large common offset differ in their ninth digit; float32 has seven, so all classes would tie.
A term that all classes of a query share changes no probability: such rows are stored minus their largest logit.
"""

from __future__ import annotations

import torch
from torch import Tensor

HIDDEN = 2.0**-12  # of the largest logit: a smaller spread over the classes loses more than half of float32's digits
TIED = 1e-13  # of the largest logit: a smaller spread is the rounding of float64, so the classes tie


def shortened(logits: Tensor, dtype: torch.dtype) -> Tensor:
    """The logits [B, m, N] in `dtype`. Rows whose spread over the classes is small against their size lose their
    largest logit first; all others keep their bits."""
    if logits.dtype == dtype:
        return logits
    top, bottom = logits.amax(2, keepdim=True), logits.amin(2, keepdim=True)
    spread, size = top - bottom, torch.maximum(top.abs(), bottom.abs())
    hidden = (spread < HIDDEN * size) & (spread > TIED * size)
    if bool(hidden.any()):
        logits = torch.where(hidden, logits - top, logits)
    return logits.to(dtype)
