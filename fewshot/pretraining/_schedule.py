"""The hyperparameters of gradient descent that recipes share: their rules, and the steps and learning rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.schedules import SCHEDULES, learning_rates
from fewshot.evaluators.tuning.views import AUGMENTS
from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, declare, integer, number_in, one_of

OPTIMIZERS = ("sgd", "adamw")
DESCENT = declare(
    epochs=POSITIVE,
    steps=integer(1),
    lr=POSITIVE,
    optimizer=one_of(OPTIMIZERS),
    weight_decay=NOT_NEGATIVE,
    decay=one_of(SCHEDULES),
    warmup=number_in("[0, 1)"),
    augment=one_of(AUGMENTS),
)  # rules for the fields of `Descending`


class Descending(Protocol):
    """The fields that recipes have in common.

    `epochs` counts passes over the training images. `steps`, if given, is the number of steps instead, for any number
    of images. `warmup` is the share of the steps in which the learning rate climbs to `lr`.
    """

    @property
    def epochs(self) -> float: ...
    @property
    def steps(self) -> int | None: ...
    @property
    def lr(self) -> float: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def decay(self) -> str: ...
    @property
    def warmup(self) -> float: ...
    @property
    def augment(self) -> str: ...


@dataclass(frozen=True)
class Schedule:
    """The length of a training, its learning rates and its optimizer."""

    epochs: float
    steps: int | None
    batch_size: int  # images per step
    lr: float
    optimizer: str
    weight_decay: float
    decay: str
    warmup: float

    @property
    def rule(self) -> str:
        """What fixes the length of the training: "epochs" (more images, more steps) or "steps"."""
        return "epochs" if self.steps is None else "steps"

    def n_steps(self, n_images: int) -> int:
        """The number of steps over `n_images` images."""
        if self.steps is not None:
            return self.steps
        return max(1, round(self.epochs * n_images / min(self.batch_size, n_images)))

    def descent(self, n_images: int) -> Descent:
        """The optimizer and the learning rate of each step."""
        n_steps = self.n_steps(n_images)
        warmup = min(round(self.warmup * n_steps), n_steps - 1)
        return Descent(learning_rates(self.decay, self.lr, n_steps, warmup), self.optimizer, self.weight_decay)


def schedule_of(recipe: Descending, batch_size: int) -> Schedule:
    """The schedule of a recipe."""
    fields = (recipe.lr, recipe.optimizer, recipe.weight_decay, recipe.decay, recipe.warmup)
    return Schedule(recipe.epochs, recipe.steps, batch_size, *fields)
