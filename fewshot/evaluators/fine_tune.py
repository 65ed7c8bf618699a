"""Gradient descent on the support: the whole network, its last blocks, its norm layers, or a linear head."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.tuning import BATCHNORMS, Tuning
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.fields import DESCENT
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.layout import LAYOUTS
from fewshot.evaluators.tuning.network import parameters_of
from fewshot.evaluators.tuning.schedules import learning_rates
from fewshot.evaluators.tuning.table import FrozenTable, frozen_table
from fewshot.evaluators.tuning.tuned_head import tune, tune_heads_alone
from fewshot.evaluators.tuning.views import AUGMENTS, view
from fewshot.plugins.fields import POSITIVE, Rule, declare, integer, one_of, refused
from fewshot.plugins.signature import Later

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages

_PARTS = re.compile(r"all|head|norm|last [1-9]\d*")
_WARMUP = integer(0).worded("an integer of at least 0, below 'steps'")


@dataclass(frozen=True)
class FineTune(ImageEvaluator):
    """A linear head and the network, or a part of it, trained by cross-entropy on the support.

    `tune`: "all", "head", "last k" for the k last blocks (timm's own layer groups), or "norm" for the scales and shifts
    of norm layers. Layers before these run once for each image. `batch_size` None uses the whole support at every
    step. `batchnorm`: "frozen" keeps the running statistics; "support" normalises by the mini-batch in the trained
    layers, and updates a copy of the statistics. Dropout and stochastic depth are off.

    `schedule`: "constant", "cosine", or "step", a tenth of the rate after 30, 60 and 90 % of the steps; the rate rises
    during the first `warmup` steps. `start` of the head: "zero"; "prototypes", the nearest class mean; "probe", the
    optimum of LinearProbe(C=probe_C) on the original features: linear probing, then fine-tuning (Kumar et al. 2022,
    arXiv 2202.10054, whose probe is trained by descent). `augment`: "flip", "crop", "crop+flip" or "crop+flip+colour"
    views of the support, new at each step, so the whole network runs; images whose orientation matters are not flipped.
    `clip_norm` limits the norm of the gradient; None: no limit. `head_lr`: the learning rate of the head; None: `lr`.
    `unit_features`: whether the head sees features of length 1. `layout` "channels_last": a step of a convolutional
    network on a processor takes less time, 0.55 to 1 of it. Sums are rounded in another order, and training can amplify
    that, so a few predictions may differ. It changes nothing for tune="head".
    """

    tune: str = "all"
    steps: int = 50
    lr: float = 0.01
    optimizer: str = "sgd"  # momentum 0.9
    weight_decay: float = 0.0
    batch_size: int | None = None
    batchnorm: str = "frozen"
    schedule: str = "constant"
    warmup: int = 0
    start: str = "zero"
    probe_C: float = 1.0
    augment: str = "none"
    clip_norm: float | None = None
    head_lr: float | Later = None
    unit_features: bool | Later = None
    layout: str | Later = None

    rules = declare(
        DESCENT,
        tune=Rule("'all', 'head', 'norm' or 'last k'", lambda tune: bool(_PARTS.fullmatch(str(tune)))),
        batchnorm=one_of(BATCHNORMS),
        warmup=_WARMUP,
        augment=one_of(AUGMENTS),
        clip_norm=POSITIVE,
        head_lr=POSITIVE,
        layout=one_of(LAYOUTS),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup >= self.steps:
            raise refused(self, "warmup", _WARMUP.wanted)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(steps=20, lr=0.05),
            cls(tune="head", steps=30, lr=0.1, optimizer="adam", batch_size=5),
            cls(tune="last 1", steps=20, lr=0.05, batch_size=4, batchnorm="support"),
            cls(tune="norm", steps=8, lr=0.02, schedule="cosine", warmup=2, start="probe", augment="crop+flip"),
            cls(steps=20, lr=0.02, head_lr=0.2, optimizer="adam", unit_features=True),
            cls(steps=20, lr=0.05, layout="channels_last"),
        ]

    @property
    def trains_alone(self) -> bool:
        return not self._heads_alone

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        tuning = self._tuning(backbone)
        return tune_heads_alone(batch, backbone, tuning) if self._heads_alone else tune(batch, backbone, tuning)

    def precompute(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], progress: bool
    ) -> FrozenTable | None:
        return frozen_table(images, backbone, self._tuning(backbone).changed(backbone.network)[0], rows, progress)

    def episodes_at_once(self, n_support: int, n_way: int, dim: int, budget_bytes: int) -> int:
        """Heads are trained together, networks one by one."""
        bytes_each = 4 * (2 * n_support * dim + 8 * dim * n_way)
        return max(1, budget_bytes // bytes_each) if self._heads_alone else 1

    @property
    def _heads_alone(self) -> bool:
        return self.tune == "head" and self.augment == "none"

    def _tuning(self, backbone: Backbone) -> Tuning:
        def random_view(image: Image.Image, uniform: NDArray[np.float64], orientation_matters: bool) -> Tensor:
            return backbone.preprocess(view(image, self.augment, uniform, orientation_matters))

        head_lr = self.head_lr or self.lr
        rates = learning_rates(self.schedule, head_lr if self._heads_alone else self.lr, self.steps, self.warmup)
        return Tuning(
            change=lambda network, _: parameters_of(network, self.tune),
            descent=Descent(rates, self.optimizer, self.weight_decay, self.clip_norm, head_factor=head_lr / self.lr),
            batch_size=self.batch_size,
            batchnorm=self.batchnorm,
            start=self.start,
            probe_C=self.probe_C,
            view=None if self.augment == "none" else random_view,
            unit_features=bool(self.unit_features),
            layout=self.layout,
        )
