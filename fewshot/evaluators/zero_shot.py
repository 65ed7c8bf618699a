"""The nearest class name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import CosineHead, FeatureEvaluator, Head, class_vectors
from fewshot.plugins.fields import POSITIVE, declare


@dataclass(frozen=True)
class ZeroShot(FeatureEvaluator):
    """The class whose name vector has the largest cosine with the query (Radford et al. 2021, arXiv 2103.00020);
    logits = cosine / temperature. Ignores the support: the baseline for heads that use both.

    Needs vectors of the class names. CLIP's own temperature is 0.01.
    """

    uses_names: ClassVar[bool] = True
    ignores_support: ClassVar[bool] = True
    needs_support: ClassVar[bool] = False

    temperature: float = 0.01

    rules = declare(temperature=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls()]

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        return CosineHead(class_vectors(batch, self).transpose(1, 2) / self.temperature)
