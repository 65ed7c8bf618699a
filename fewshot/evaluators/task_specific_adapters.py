"""Task-specific adapters: small matrices beside the convolutions and one after the features, trained on centroids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.adapters import add_residual
from fewshot.evaluators.tuning.centroids import tune_to_centroids
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.plugins.fields import POSITIVE, declare, integer

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


@dataclass(frozen=True)
class TaskSpecificAdapters(ImageEvaluator):
    """TSA (Li et al. 2022, arXiv 2107.00358): a 1 x 1 convolution parallel to every larger one, of the same stride and
    groups, and a linear map of the features. Adadelta trains only these, on the whole support; logits are 10 times
    the cosine with the centroids of the classes. BatchNorm keeps its statistics.

    The default `lr` of the convolutions and `map_lr` of the map are the paper's for domains that the network has not
    seen; use 0.05 and 0.1 for seen domains. `stem` adapts the first convolution too. Deviations: the convolutions start
    at zero (the authors' code: 0.0001 times the identity), and work in any network (theirs: ResNet-18).
    """

    steps: int = 40
    lr: float = 0.5
    map_lr: float = 1.0
    stem: bool = False

    rules = declare(steps=integer(1), lr=POSITIVE, map_lr=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(steps=10, stem=True)]

    @property
    def trains_alone(self) -> bool:
        return True

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        descent = Descent([self.lr] * self.steps)
        tuning = Tuning(change=lambda network, _: add_residual(network, self.stem), descent=descent)
        return tune_to_centroids(batch, backbone, tuning, self.map_lr)
