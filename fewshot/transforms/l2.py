"""Features scaled to length one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.transforms import FeatureTransform, Transform


@dataclass(frozen=True)
class L2(FeatureTransform):
    """x / ||x|| (SimpleShot's L2N, Wang et al. 2019, arXiv 1911.04623); a zero vector stays zero."""

    def fit(self, seen: Tensor | None) -> Transform:
        return normalise


def normalise(features: Tensor) -> Tensor:
    """Rows divided by their Euclidean length, computed in float64 so that lengths neither overflow nor underflow."""
    wide = features.double()
    scale = wide.abs().amax(-1, keepdim=True)
    wide = wide / scale.where(scale > 0, 1)
    length: Tensor = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    return (wide / length.where(length > 0, 1)).to(features.dtype)
