"""Tuned: a recipe with the learning rate, weight decay and stopping point that validation images choose."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fewshot.plugins.fields import NOT_NEGATIVE, POSITIVE, Rule, declare
from fewshot.pretraining import Objective, Recipe, Setting
from fewshot.pretraining._schedule import Schedule
from fewshot.pretraining.cross_entropy import CrossEntropy


def _can_stop(recipe: Any) -> bool:
    return isinstance(recipe, Recipe) and "stop" in {field.name for field in dataclasses.fields(recipe)}  # type: ignore[arg-type]


def _are_all(rule: Rule, values: Any) -> bool:
    return isinstance(values, tuple) and len(values) > 0 and all(map(rule.holds, values))


@dataclass(frozen=True)
class Tuned(Recipe):
    """Trains `inner` once for each pair of learning rate and weight decay and keeps the best network. Each trial stops
    at the least cross-entropy on partition=validation of the trained classes. Every amount of data gets the same
    trials.

    `inner` must be a recipe that can stop on validation images (CrossEntropy). fewshot stores and resumes trials like
    other trainings.
    """

    short_name: ClassVar[str] = "{inner} tuned"

    inner: Recipe
    lr: tuple[float, ...] = (0.03, 0.1, 0.3)
    weight_decay: tuple[float, ...] = (0.0005, 0.005)

    rules = declare(
        inner=Rule("a recipe that can stop on validation images, such as CrossEntropy()", _can_stop),
        lr=Rule("a tuple of at least one positive number", lambda values: _are_all(POSITIVE, values)),
        weight_decay=Rule(
            "a tuple of at least one number, none below 0", lambda values: _are_all(NOT_NEGATIVE, values)
        ),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(CrossEntropy(steps=4, batch_size=8), lr=(0.01, 0.1), weight_decay=(0.0005,))]

    def trials(self) -> Sequence[Recipe]:
        pairs = [(lr, decay) for lr in self.lr for decay in self.weight_decay]
        return [replace(self.inner, lr=lr, weight_decay=decay, stop="validation") for lr, decay in pairs]  # type: ignore[type-var]

    def schedule(self) -> Schedule:
        return self.trials()[0].schedule()

    def objective(self, setting: Setting) -> Objective:
        return self.trials()[0].objective(setting)
