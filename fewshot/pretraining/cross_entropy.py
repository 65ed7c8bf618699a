"""Cross-entropy of a linear classifier over all seen classes; the classifier is discarded after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fewshot.plugins.fields import declare, integer, number_in, one_of
from fewshot.pretraining import Objective, Recipe, Setting
from fewshot.pretraining._batches import Inputs, positions
from fewshot.pretraining._heads import new_classifier
from fewshot.pretraining._schedule import DESCENT, Schedule, schedule_of

STOPS = ("last", "validation")


@dataclass(frozen=True)
class CrossEntropy(Recipe):
    """Trains the network and a linear head by cross-entropy over the seen classes, from the network's present weights.
    The defaults suit small networks and a few thousand images.

    `epochs` counts passes over the training images; `steps`, if given, is the number of mini-batches instead. SGD has
    momentum 0.9. The learning rate climbs during the share `warmup` of the steps, then `decay` "cosine" lowers it to 0,
    "step" divides it by 10 at 30, 60 and 90 % of the steps, and "constant" keeps it. `augment` is "none", "flip",
    "crop", "crop+flip" or "crop+flip+colour", with new views in every step; it never flips classes whose orientation
    matters. `label_smoothing` is the share of the target that is spread over all classes. `stop` "validation" measures
    the cross-entropy on the data set's images of partition=validation 20 times and keeps the best weights; "last" keeps
    the last weights.
    """

    short_name: ClassVar[str] = "CrossEntropy[ {steps} steps| {epochs} epochs]"

    epochs: float = 20.0
    steps: int | None = None
    batch_size: int = 64
    lr: float = 0.1
    optimizer: str = "sgd"
    weight_decay: float = 0.0005
    decay: str = "cosine"
    warmup: float = 0.05
    augment: str = "crop+flip"
    label_smoothing: float = 0.0
    stop: str = "last"

    rules = declare(DESCENT, batch_size=integer(2), label_smoothing=number_in("[0, 1)"), stop=one_of(STOPS))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(steps=8, batch_size=16),
            cls(
                epochs=1.0, batch_size=12, lr=0.003, optimizer="adamw", decay="step", augment="none", stop="validation"
            ),
        ]

    def schedule(self) -> Schedule:
        return schedule_of(self, self.batch_size)

    @property
    def stops_on_validation(self) -> bool:
        return self.stop == "validation"

    def objective(self, setting: Setting) -> Objective:
        return _Classification(self, setting)


class _Classification(Objective):
    def __init__(self, recipe: CrossEntropy, setting: Setting) -> None:
        super().__init__()
        train, backbone = setting.material.train, setting.backbone
        self.network = backbone.network
        self.head = new_classifier(backbone.dim, setting.material.n_classes, setting.seed, backbone.device)
        self._recipe, self._seed = recipe, setting.seed
        self._inputs = Inputs(train, backbone, recipe.augment, setting.seed)
        self._labels = torch.from_numpy(train.labels.astype("int64")).to(backbone.device)

    def loss(self, step: int) -> Tensor:
        places = positions(self._seed, step, self._recipe.batch_size, len(self._inputs))
        logits = self.head(self.network(self._inputs.views(places, step)))
        return cross_entropy(logits, self._labels[places], label_smoothing=self._recipe.label_smoothing)

    def classifier(self) -> nn.Linear:
        return self.head
