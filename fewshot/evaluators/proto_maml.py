"""The adaptation of MAML and ANIL: plain gradient steps from the prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.network import parameters_of
from fewshot.evaluators.tuning.tuned_head import tune, tune_heads_alone
from fewshot.plugins.fields import POSITIVE, declare, integer

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


@dataclass(frozen=True)
class ProtoMAML(ImageEvaluator):
    """A linear head that starts at the prototypes of the support, after `steps` plain steps of gradient descent on the
    whole support; `body` trains the network too (Proto-MAML, Triantafillou et al. 2020, arXiv 1903.03096).

    The recipes MAML (`body=True`) and ANIL (`body=False`) adapt like this; `steps` and `lr` are their `inner_steps` and
    `inner_lr`, and may be larger. BatchNorm keeps its running statistics, as in these recipes.
    """

    steps: int = 3
    lr: float = 0.01
    body: bool = True

    rules = declare(steps=integer(1), lr=POSITIVE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(), cls(steps=8, lr=0.005, body=False)]

    @property
    def trains_alone(self) -> bool:
        return self.body

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        tuning = Tuning(
            change=lambda network, _: parameters_of(network, "all"),
            descent=Descent([self.lr] * self.steps, momentum=0.0),
            start="prototypes",
        )
        return tune(batch, backbone, tuning) if self.body else tune_heads_alone(batch, backbone, tuning)
