"""Warnings for features that cannot tell images apart: equal rows and zero rows."""

from __future__ import annotations

import logging

from torch import Tensor

_log = logging.getLogger("fewshot")


def warn_of_degenerate(vectors: Tensor, images: str, backbone: str) -> None:
    """Logs one warning if all vectors [n, D] are equal, or else if some of them are zero."""
    if len(vectors) < 2:
        return
    if bool((vectors == vectors[:1]).all()):
        _log.warning(
            "all %d images of %s have the same features under %s, so every answer is a guess; check the images, the "
            "weights and the transform",
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
