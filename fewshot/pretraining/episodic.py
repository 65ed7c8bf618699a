"""Prototypical networks: episodes of the seen classes, classified by the nearest class mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from fewshot.datasets import LabelledImages
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import declare, integer
from fewshot.pretraining import Objective, Recipe, Setting
from fewshot.pretraining._batches import Inputs
from fewshot.pretraining._schedule import DESCENT, Schedule, schedule_of
from fewshot.samplers.balanced import Balanced

SHAPE = declare(n_way=integer(2), k_shot=integer(1), n_query=integer(1))  # rules for the shape of episodes


@dataclass(frozen=True)
class Episodic(Recipe):
    """Prototypical networks (Snell, Swersky, Zemel 2017, arXiv 1703.05175): each step takes one episode of the training
    images; its loss is the query cross-entropy, with minus the squared distances to the class means as logits.

    Every trained class needs k_shot + n_query images. `epochs` counts images; a step takes n_way * (k_shot + n_query)
    of them. The other fields are those of CrossEntropy. Deviation: SGD by default; the paper uses Adam.
    """

    short_name: ClassVar[str] = "Episodic[ {steps} steps| {epochs} epochs]"

    epochs: float = 20.0
    steps: int | None = None
    n_way: int = 20
    k_shot: int = 1
    n_query: int = 3
    lr: float = 0.03
    optimizer: str = "sgd"
    weight_decay: float = 0.0005
    decay: str = "cosine"
    warmup: float = 0.05
    augment: str = "crop+flip"

    rules = declare(DESCENT, SHAPE)

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(steps=5, n_way=3, k_shot=2, n_query=2)]

    def schedule(self) -> Schedule:
        return schedule_of(self, self.images_per_step)

    @property
    def images_per_step(self) -> int:
        return self.n_way * (self.k_shot + self.n_query)

    def objective(self, setting: Setting) -> Objective:
        return _Prototypes(self, setting)


class _Prototypes(Objective):
    def __init__(self, recipe: Episodic, setting: Setting) -> None:
        super().__init__()
        self.network = setting.backbone.network
        shape = EpisodeShape(recipe.n_way, recipe.k_shot, recipe.n_query)
        self._tasks = Tasks(setting.material.train, shape, setting.seed)
        self._inputs = Inputs(setting.material.train, setting.backbone, recipe.augment, setting.seed)

    def loss(self, step: int) -> Tensor:
        support, query = self._tasks.rows(step)
        features = self.network(self._inputs.views(np.concatenate([support.reshape(-1), query.reshape(-1)]), step))
        means = features[: support.size].view(*support.shape, -1).mean(1)  # [N, D]
        distances = (features[support.size :, None] - means).square().sum(2)  # [N * Q, N]
        return cross_entropy(-distances, labels_of(query).to(features.device))


@dataclass(frozen=True, eq=False)
class Tasks:
    """Episodes of the training images, by number; a class with too few images raises a ValueError."""

    images: LabelledImages
    shape: EpisodeShape
    seed: int

    def __post_init__(self) -> None:
        least, need = int(np.bincount(self.images.labels).min()), (self.shape.k_shot or 0) + (self.shape.n_query or 0)
        if least < need:
            raise ValueError(
                f"episodes need k_shot + n_query = {need} images of every class, but a class of {self.images.name} has "
                f"{least} to train on; lower k_shot or n_query, or raise n_images"
            )
        self.rows(0)

    def rows(self, number: int) -> tuple[Ints, Ints]:
        """[N, K] support rows and [N, Q] query rows of an episode, class by class."""
        classes = np.arange(len(self.images.class_names))
        episode = Balanced().sample(self.images, classes, self.shape, self.seed, number, 1)
        ways = self.shape.n_way or len(classes)
        return episode.support.astype(np.int64).reshape(ways, -1), episode.query.astype(np.int64).reshape(ways, -1)


def labels_of(rows: Ints) -> Tensor:
    """[N * K] the way (0 to N - 1) of each of the rows [N, K]."""
    return torch.arange(rows.shape[0]).repeat_interleave(rows.shape[1])
