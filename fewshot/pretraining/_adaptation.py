"""What MAML and ANIL share: tasks, and a head that starts at the prototypes of the support."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import POSITIVE, declare, integer
from fewshot.pretraining import Objective, Setting
from fewshot.pretraining._batches import Inputs
from fewshot.pretraining._schedule import DESCENT, Descending, Schedule, schedule_of
from fewshot.pretraining.episodic import SHAPE, Tasks, labels_of

ADAPTATION = declare(DESCENT, SHAPE, tasks_per_step=integer(1), inner_steps=integer(0), inner_lr=POSITIVE)


class Adapting(Descending, Protocol):
    """The fields of MAML and ANIL."""

    @property
    def n_way(self) -> int: ...
    @property
    def k_shot(self) -> int: ...
    @property
    def n_query(self) -> int: ...
    @property
    def tasks_per_step(self) -> int: ...
    @property
    def inner_steps(self) -> int: ...
    @property
    def inner_lr(self) -> float: ...
    @property
    def first_order(self) -> bool: ...
    @property
    def images_per_step(self) -> int: ...


def adapting_schedule(recipe: Adapting) -> Schedule:
    """The schedule of a recipe whose steps adapt to several tasks."""
    return schedule_of(recipe, recipe.images_per_step)


class Adaptation(Objective):
    """The mean query loss of a step's tasks, each after plain gradient descent on its support.

    BatchNorm normalises by its running statistics, which follow the images of the tasks; the evaluator does the same.
    """

    def __init__(self, recipe: Adapting, setting: Setting, whole: bool) -> None:
        super().__init__()
        self.network = setting.backbone.network
        self._wrapped = _learn2learn()
        self._recipe, self._whole = recipe, whole
        shape = EpisodeShape(recipe.n_way, recipe.k_shot, recipe.n_query)
        self._tasks = Tasks(setting.material.train, shape, setting.seed)
        self._inputs = Inputs(setting.material.train, setting.backbone, recipe.augment, setting.seed)

    def loss(self, step: int) -> Tensor:
        count = self._recipe.tasks_per_step
        losses = [self._task_loss(step * count + number) for number in range(count)]
        return torch.stack(losses).mean()

    def _task_loss(self, number: int) -> Tensor:
        support, query = self._tasks.rows(number)
        inputs = self._inputs.views(np.concatenate([support.reshape(-1), query.reshape(-1)]), number)
        self._follow(inputs)
        known, queried = inputs[: support.size], inputs[support.size :]
        labels, query_labels = (labels_of(rows).to(inputs.device) for rows in (support, query))
        if not self._whole:
            known, queried = self.network(known), self.network(queried)
        learner = self._learner(known, labels)
        for _ in range(self._recipe.inner_steps):
            learner.adapt(cross_entropy(learner(known), labels))
        loss: Tensor = cross_entropy(learner(queried), query_labels)
        return loss

    def _follow(self, inputs: Tensor) -> None:
        """Updates the running statistics with these inputs, then puts the network in eval mode."""
        self.network.train()
        with torch.no_grad():
            self.network(inputs)
        self.network.eval()

    def _learner(self, known: Tensor, labels: Tensor) -> Any:
        """A clone of the modules that adapt, with a prototype head (Triantafillou et al. 2020, arXiv 1903.03096)."""
        features = self.network(known) if self._whole else known
        means = features.view(self._recipe.n_way, self._recipe.k_shot, -1).mean(1)
        head = _Head(self.network if self._whole else nn.Identity(), 2 * means, -means.square().sum(1))
        learner = self._wrapped(head, self._recipe.inner_lr, first_order=self._recipe.first_order).clone()
        learner.module.put(2 * means, -means.square().sum(1))
        return learner


class _Head(nn.Module):
    """logits = body(x) @ weight^T + bias."""

    def __init__(self, body: nn.Module, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.body = body
        self.weight, self.bias = (nn.Parameter(part.detach()) for part in (weight, bias))

    def put(self, weight: Tensor, bias: Tensor) -> None:
        """Sets weight and bias, with their graph."""
        self._parameters["weight"], self._parameters["bias"] = weight, bias  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Logits [b, N]."""
        return linear(self.body(x), self.weight, self.bias)


def _learn2learn() -> Any:
    try:
        from learn2learn.algorithms import MAML
    except ImportError as error:
        raise ValueError(
            "MAML and ANIL need learn2learn, which is not installed; run .ci/install_learn2learn"
        ) from error
    return MAML
