"""The hyperparameters of descent that recipes share, checked, and what follows from them: steps and rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.fields import Rule, check_fields, is_integer, is_positive
from fewshot.evaluators.tuning.schedules import SCHEDULES, learning_rates
from fewshot.evaluators.tuning.views import AUGMENTS

OPTIMIZERS = ("sgd", "adamw")


class Descending(Protocol):
    """What recipes have in common. `epochs` counts passes over the training images; `steps`, where given, is the number
    of steps instead, whatever their number. `warmup` is the share of the steps that climb to `lr`."""

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
    """How long and how fast."""

    epochs: float
    steps: int | None
    batch_size: int  # images a step
    lr: float
    optimizer: str
    weight_decay: float
    decay: str
    warmup: float

    @property
    def rule(self) -> str:
        """What more images change: with "epochs" the steps too, with "steps" nothing."""
        return "epochs" if self.steps is None else "steps"

    def n_steps(self, n_images: int) -> int:
        """How many steps over so many images."""
        if self.steps is not None:
            return self.steps
        return max(1, round(self.epochs * n_images / min(self.batch_size, n_images)))

    def descent(self, n_images: int) -> Descent:
        """Optimiser and the rate of each step."""
        n_steps = self.n_steps(n_images)
        warmup = min(round(self.warmup * n_steps), n_steps - 1)
        return Descent(learning_rates(self.decay, self.lr, n_steps, warmup), self.optimizer, self.weight_decay)


def schedule_of(recipe: Descending, batch_size: int, own: Iterable[Rule] = ()) -> Schedule:
    """The schedule of a recipe; the first field that is not good is a ValueError."""
    rules: tuple[Rule, ...] = (
        *own,
        ("epochs", is_positive(recipe.epochs), "a positive float"),
        ("steps", recipe.steps is None or is_integer(recipe.steps, 1), "an integer of at least 1, or None"),
        ("lr", is_positive(recipe.lr), "a positive float"),
        ("optimizer", recipe.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
        ("weight_decay", recipe.weight_decay == 0 or is_positive(recipe.weight_decay), "a float of at least 0"),
        ("decay", recipe.decay in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
        ("warmup", recipe.warmup == 0 or (is_positive(recipe.warmup) and recipe.warmup < 1), "a float in [0, 1)"),
        ("augment", recipe.augment in AUGMENTS, f"one of {', '.join(AUGMENTS)}"),
    )
    check_fields(recipe, rules)
    fields = (recipe.lr, recipe.optimizer, recipe.weight_decay, recipe.decay, recipe.warmup)
    return Schedule(recipe.epochs, recipe.steps, batch_size, *fields)
