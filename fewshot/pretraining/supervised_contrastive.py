"""Supervised contrastive learning: it pulls views of one class together, on a projection that it then discards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from fewshot.evaluators.tuning.views import AUGMENTS
from fewshot.plugins.fields import POSITIVE, declare, integer, one_of
from fewshot.pretraining import Objective, Recipe, Setting
from fewshot.pretraining._batches import Inputs, positions
from fewshot.pretraining._heads import seeded_modules
from fewshot.pretraining._schedule import DESCENT, Schedule, schedule_of

_AUGMENTS = [augment for augment in AUGMENTS if augment != "none"]


@dataclass(frozen=True)
class SupervisedContrastive(Recipe):
    """Supervised contrastive learning (Khosla et al. 2020, arXiv 2004.11362): two views of each image of a mini-batch,
    with `contrastive_loss` on their projections.

    The head has a layer of the features' width, ReLU and a layer of width `projection`, whose output is normalised;
    the head is discarded after training. Each image counts twice in `images_processed`. The other fields are those of
    CrossEntropy. Deviations: SGD with the schedule of the other recipes instead of LARS, the views of `augment` instead
    of AutoAugment, and no memory of other batches.
    """

    short_name: ClassVar[str] = "SupervisedContrastive[ {steps} steps| {epochs} epochs]"

    epochs: float = 20.0
    steps: int | None = None
    batch_size: int = 128
    lr: float = 0.1
    optimizer: str = "sgd"
    weight_decay: float = 0.0005
    decay: str = "cosine"
    warmup: float = 0.05
    augment: str = "crop+flip+colour"
    temperature: float = 0.1
    projection: int = 128

    rules = declare(
        DESCENT,
        batch_size=integer(2),
        augment=one_of(_AUGMENTS).worded(
            f"an augmentation, because two views of an image must differ (one of {', '.join(_AUGMENTS)})"
        ),
        temperature=POSITIVE,
        projection=integer(1),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(steps=5, batch_size=16, projection=8)]

    def schedule(self) -> Schedule:
        return schedule_of(self, self.batch_size)

    @property
    def passes_per_image(self) -> int:
        return 2

    def objective(self, setting: Setting) -> Objective:
        return _Contrast(self, setting)


class _Contrast(Objective):
    def __init__(self, recipe: SupervisedContrastive, setting: Setting) -> None:
        super().__init__()
        train, backbone, dim = setting.material.train, setting.backbone, setting.backbone.dim
        self.network = backbone.network
        with seeded_modules(setting.seed):
            self.projection = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, recipe.projection))
        self._recipe, self._seed = recipe, setting.seed
        self._inputs = Inputs(train, backbone, recipe.augment, setting.seed)
        self._labels = torch.from_numpy(train.labels.astype("int64")).to(backbone.device)

    def loss(self, step: int) -> Tensor:
        places = positions(self._seed, step, self._recipe.batch_size, len(self._inputs))
        views = torch.cat([self._inputs.views(places, step, number) for number in (0, 1)])
        projected = normalize(self.projection(self.network(views)), dim=1)
        return contrastive_loss(projected, self._labels[places].repeat(2), self._recipe.temperature)


def contrastive_loss(projected: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The mean over rows i of -1/|P(i)| sum_{p in P(i)} log(exp(z_i z_p / t) / sum_{a != i} exp(z_i z_a / t)), for
    normalised z [m, D] with labels [m].

    P(i) are the other rows with the label of i; every row needs at least one. The paper sums over i.
    """
    m = len(labels)
    itself = torch.eye(m, dtype=torch.bool, device=projected.device)
    similarity = (projected @ projected.T / temperature).masked_fill(itself, -torch.inf)
    log_p = (similarity - similarity.logsumexp(1, keepdim=True)).masked_fill(itself, 0.0)
    positive = (labels[:, None] == labels) & ~itself
    return -((log_p * positive).sum(1) / positive.sum(1)).mean()
