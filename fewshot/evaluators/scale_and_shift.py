"""Scales and shifts of convolutions, and a linear head, trained while the weights are frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.adapters import add_scale_and_shift
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.fields import DESCENT
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.schedules import learning_rates
from fewshot.evaluators.tuning.tuned_head import tune

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


@dataclass(frozen=True)
class ScaleAndShift(ImageEvaluator):
    """A linear head and the scales and shifts of meta-transfer learning (Sun et al. 2019, arXiv 1812.02391), trained by
    cross-entropy on the support.

    Each convolution multiplies its weights by one scale for each pair of output and input channels, 1 at the start, and
    adds one shift for each output channel, 0 at the start. BatchNorm keeps its statistics. Deviations: the paper
    learns scales and shifts over many training tasks and tunes only the head on a new one; here the support trains
    both. A convolution without a bias gets a shift too.

    `optimizer`, `batch_size`, `schedule` and `start` as in FineTune.
    """

    steps: int = 50
    lr: float = 0.01
    optimizer: str = "sgd"  # momentum 0.9
    weight_decay: float = 0.0  # pulls scales and shifts to zero
    batch_size: int | None = None
    schedule: str = "constant"
    start: str = "zero"
    probe_C: float = 1.0

    rules = DESCENT

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(steps=20, lr=0.02, schedule="cosine", start="probe"),
            cls(steps=8, lr=0.01, optimizer="adam", batch_size=6, start="prototypes"),
        ]

    @property
    def trains_alone(self) -> bool:
        return True

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        rates = learning_rates(self.schedule, self.lr, self.steps)
        tuning = Tuning(
            change=lambda network, _: add_scale_and_shift(network),
            descent=Descent(rates, self.optimizer, self.weight_decay),
            batch_size=self.batch_size,
            start=self.start,
            probe_C=self.probe_C,
        )
        return tune(batch, backbone, tuning)
