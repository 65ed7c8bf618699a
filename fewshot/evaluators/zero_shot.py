"""The nearest class name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from fewshot.episodes.episodes import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors


@dataclass(frozen=True)
class ZeroShot(FeatureEvaluator):
    """The class whose name's vector has the largest cosine with the query (Radford et al. 2021, arXiv 2103.00020);
    logits = cosine / temperature. The support is not looked at: what others gain from it, they gain over this.

    Needs vectors of the class names. CLIP's own temperature is 0.01.
    """

    temperature: float = 0.01

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls()]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        if not (isinstance(self.temperature, float | int) and 0 < self.temperature < math.inf):
            raise ValueError(
                "The 'temperature' parameter of ZeroShot must be a positive float, below infinity. "
                f"Got {self.temperature!r} instead."
            )
        return CosineHead(class_vectors(batch, self).transpose(1, 2) / self.temperature)
