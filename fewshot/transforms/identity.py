"""Unchanged features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from fewshot.transforms import FeatureTransform, Transform


@dataclass(frozen=True)
class Identity(FeatureTransform):
    """Unchanged features (SimpleShot's UN, Wang et al. 2019, arXiv 1911.04623)."""

    keeps_features: ClassVar[bool] = True

    def fit(self, seen: Tensor | None) -> Transform:
        return lambda features: features
