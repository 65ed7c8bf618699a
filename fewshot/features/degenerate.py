"""Warnings for features that cannot tell images apart: equal rows, nearly equal rows and zero rows."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

_FEW_STEPS = 128  # of float32, from the smallest to the largest value of every feature
_log = logging.getLogger("fewshot")


def warn_of_degenerate(vectors: Tensor, images: str, backbone: str) -> None:
    """Logs one warning if all vectors [n, D] are equal, or nearly, or else if some of them are zero."""
    if len(vectors) < 2:
        return
    if bool((vectors == vectors[:1]).all()):
        _log.warning(
            "all %d images of %s have the same features under %s, so every answer is a guess; check the images, the "
            "weights and the transform",
            *(len(vectors), images, backbone),
        )
        return
    if _spread(vectors) < _FEW_STEPS * torch.finfo(vectors.dtype).eps:
        _log.warning(
            "the features of the %d images of %s under %s are so nearly equal that rounding decides answers; subtract "
            'their mean before you save them, or use --transform "CentredL2()"',
            *(len(vectors), images, backbone),
        )
        return
    zero = int((vectors == 0).all(1).sum())
    if zero:
        _log.warning(
            "%d of %d images of %s have features of zeros only under %s, so nothing tells them apart; check these "
            "images and the transform",
            *(zero, len(vectors), images, backbone),
        )


def _spread(vectors: Tensor) -> float:
    """The largest range of a feature, relative to its largest value."""
    low, high = vectors.aminmax(dim=0)
    return float(((high - low) / torch.maximum(low.abs(), high.abs()).clamp_min(1e-30)).nan_to_num(torch.inf).max())
