"""Features with the identity as covariance on the seen classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fewshot.plugins.fields import declare, number_in
from fewshot.transforms import FeatureTransform, Transform

_PART = 4096  # rows converted to float64 at once


@dataclass(frozen=True)
class Whitening(FeatureTransform):
    """S^-1/2 (x - mu), mu the mean and S = (1 - shrinkage) C + shrinkage tr(C) / D I of the features of the seen
    classes, C their covariance (divided by m). The symmetric square root moves features least (ZCA, Bell and Sejnowski
    1997). Without seen classes S is undefined, which is an error."""

    shrinkage: float = 0.01
    needs_seen: ClassVar[bool] = True

    rules = declare(shrinkage=number_in("(0, 1]"))

    def fit(self, seen: Tensor | None) -> Transform:
        if seen is None or len(seen) < 2:
            raise ValueError("Whitening needs images of the seen classes, but this split has none; use L2 instead")
        mean = seen.double().mean(0)
        inverse_root = self._inverse_root(seen, mean)
        return lambda features: ((features.double() - mean) @ inverse_root).to(features.dtype)

    def _inverse_root(self, seen: Tensor, mean: Tensor) -> Tensor:
        """S^-1/2 [D, D]; constant features stay unchanged."""
        covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64, device=seen.device)
        for part in torch.split(seen, _PART):
            moved = part.double() - mean
            covariance += moved.T @ moved / len(seen)
        values, vectors = torch.linalg.eigh(covariance)
        level = values.clamp_min(0).mean()
        shrunk = (1 - self.shrinkage) * values.clamp_min(0) + self.shrinkage * level.where(level > 0, 1)
        root: Tensor = (vectors / shrunk.sqrt()) @ vectors.T
        return root
