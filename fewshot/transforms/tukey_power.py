"""Features raised to a power."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from fewshot.plugins.fields import POSITIVE, declare
from fewshot.transforms import FeatureTransform, Transform


@dataclass(frozen=True)
class TukeyPower(FeatureTransform):
    """x^power, Tukey's ladder of powers, which makes skewed features more Gaussian. Distribution calibration (Yang,
    Liu, Xu 2021, arXiv 2101.06395) uses the power 0.5.

    The paper's features follow a ReLU. Here a negative x becomes -|x|^power, so no feature is lost. The logarithm
    (power 0 on the ladder) is not available, because it is undefined at 0.
    """

    power: float = 0.5

    rules = declare(power=POSITIVE)

    def fit(self, seen: Tensor | None) -> Transform:
        return lambda features: (features.sign() * features.double().abs() ** self.power).to(features.dtype)
