"""Features raised to a power."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from fewshot.plugins.fields import POSITIVE, declare
from fewshot.transforms import FeatureTransform, Transform


@dataclass(frozen=True)
class TukeyPower(FeatureTransform):
    """x^power, Tukey's ladder of powers as in distribution calibration (Yang, Liu, Xu 2021, arXiv 2101.06395: 0.5),
    which makes skewed features more Gaussian.

    The paper's features follow a ReLU; a negative x becomes -|x|^power here, so that no feature is lost. The ladder's
    logarithm (power 0) is left out: it has no value at 0.
    """

    power: float = 0.5

    rules = declare(power=POSITIVE)

    def fit(self, seen: Tensor | None) -> Transform:
        return lambda features: (features.sign() * features.double().abs() ** self.power).to(features.dtype)
