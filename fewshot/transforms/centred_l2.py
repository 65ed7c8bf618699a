"""Features centred on the seen classes and scaled to length one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fewshot.transforms import FeatureTransform, Transform
from fewshot.transforms.l2 import normalise


@dataclass(frozen=True)
class CentredL2(FeatureTransform):
    """(x - mu) / ||x - mu||, mu the mean feature of the seen classes (SimpleShot's CL2N, Wang et al. 2019,
    arXiv 1911.04623). Without seen classes mu is undefined, which is an error."""

    needs_seen: ClassVar[bool] = True

    def fit(self, seen: Tensor | None) -> Transform:
        if seen is None or len(seen) == 0:
            raise ValueError("CentredL2 centres on the seen classes, but this split has none; use L2 instead")
        sums = [part.double().sum(0) for part in torch.split(seen, 4096)]  # converts a part at a time to float64
        mean = torch.stack(sums).sum(0) / len(seen)
        return lambda features: normalise(features - mean.to(features.dtype))
