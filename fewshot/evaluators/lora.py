"""Low-rank updates of linear layers, and a linear head, trained while the weights are frozen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import nn

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.fields import DESCENT
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.low_rank import add_low_rank
from fewshot.evaluators.tuning.schedules import learning_rates
from fewshot.evaluators.tuning.table import FrozenTable, frozen_table
from fewshot.evaluators.tuning.tuned_head import tune_each
from fewshot.plugins.fields import POSITIVE, Rule, declare, integer, number_in

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages


def _are_layers(layers: Any) -> bool:
    text = str(layers)
    return text == "all" or (bool(re.fullmatch("[qkvo]+", text)) and len(set(text)) == len(text))


@dataclass(frozen=True)
class LoRA(ImageEvaluator):
    """LoRA (Hu et al. 2021, arXiv 2106.09685): a linear head and low-rank updates of linear layers, trained by
    cross-entropy on the support.

    A weight W becomes W + alpha / rank * B A, where A starts uniform and B at zero. `layers`: letters of "qkvo", for
    the attention layers that compute queries, keys, values and the output, found by their names (a fused layer counts
    as equal blocks in the order q, k, v); or "all" linear layers. With `per_shot`, `steps` counts the steps for each
    shot: the mean number of images per class, rounded up. `optimizer`, `batch_size`, `schedule` and `start` as in
    FineTune; BatchNorm keeps its statistics.

    CLIP-LoRA (Zanella and Ben Ayed 2024, arXiv 2405.18541) has rank 2 on q, k, v of all blocks, dropout 0.25, batches
    of 32, AdamW with weight decay 0.01, a cosine from 0.0002, 500 steps per shot, and in its code alpha / sqrt(rank)
    with alpha = 1, which is alpha = sqrt(2) here. Deviations: `dropout` drops inputs of a layer for all images of a
    step together, theirs for each token; the head is linear, theirs are the class names, whose encoder they adapt too.
    """

    layers: str = "qkv"
    rank: int = 2
    alpha: float = 2.0
    dropout: float = 0.0
    steps: int = 50
    per_shot: bool = False
    lr: float = 0.001
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    batch_size: int | None = None
    schedule: str = "constant"
    start: str = "zero"
    probe_C: float = 1.0

    rules = declare(
        DESCENT,
        layers=Rule("'all', or some of the letters q, k, v and o", _are_layers),
        rank=integer(1),
        alpha=POSITIVE,
        dropout=number_in("[0, 1)"),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(layers="all", steps=20, lr=0.02),
            cls(layers="all", rank=1, dropout=0.25, steps=2, per_shot=True, batch_size=6, start="prototypes"),
        ]

    @property
    def trains_alone(self) -> bool:
        return True

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        shots = [-(-int(n) // batch.n_way) for n in batch.support_mask.sum(1)]
        return tune_each(batch, [(backbone, self._tuning(k_shot)) for k_shot in shots])

    def precompute(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], progress: bool
    ) -> FrozenTable | None:
        return frozen_table(images, backbone, self._tuning(1).changed(backbone.network)[0], rows, progress)

    def _tuning(self, k_shot: int) -> Tuning:
        def change(network: nn.Module, seed: int) -> list[nn.Parameter]:
            return add_low_rank(network, self.layers, self.rank, self.alpha, self.dropout, seed)

        rates = learning_rates(self.schedule, self.lr, self.steps * (k_shot if self.per_shot else 1))
        return Tuning(
            change=change,
            descent=Descent(rates, self.optimizer, self.weight_decay),
            batch_size=self.batch_size,
            start=self.start,
            probe_C=self.probe_C,
        )
