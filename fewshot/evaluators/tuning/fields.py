"""Hyperparameters of evaluators that tune, checked: every wrong value is one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from fewshot.evaluators.tuning.descent import OPTIMIZERS
from fewshot.evaluators.tuning.heads import STARTS
from fewshot.evaluators.tuning.schedules import SCHEDULES

Rule = tuple[str, object, str]  # a field, whether it is good, what it must be


class Descending(Protocol):
    """What every evaluator has that tunes a linear head by descent."""

    @property
    def steps(self) -> int: ...
    @property
    def lr(self) -> float: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def batch_size(self) -> int | None: ...
    @property
    def schedule(self) -> str: ...
    @property
    def start(self) -> str: ...
    @property
    def probe_C(self) -> float: ...


def descent_rules(evaluator: Descending) -> tuple[Rule, ...]:
    """Of the fields that these evaluators share."""
    whole = evaluator.batch_size is None
    return (
        ("steps", is_integer(evaluator.steps, 1), "an integer of at least 1"),
        ("lr", is_positive(evaluator.lr), "a positive float"),
        ("optimizer", evaluator.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
        ("weight_decay", evaluator.weight_decay == 0 or is_positive(evaluator.weight_decay), "a float of at least 0"),
        ("batch_size", whole or is_integer(evaluator.batch_size, 1), "an integer of at least 1, or None"),
        ("schedule", evaluator.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
        ("start", evaluator.start in STARTS, f"one of {', '.join(STARTS)}"),
        ("probe_C", is_positive(evaluator.probe_C), "a positive float"),
    )


def check_fields(evaluator: object, rules: Iterable[Rule]) -> None:
    """A ValueError for the first field that is not good."""
    for name, good, wanted in rules:
        if not good:
            found = getattr(evaluator, name)
            raise ValueError(f"The {name!r} of {type(evaluator).__name__} must be {wanted}. Got {found!r} instead.")


def is_integer(value: object, least: int) -> bool:
    """Whether it is an integer of at least `least`; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_positive(value: object) -> bool:
    """Whether it is a number above 0 and below infinity."""
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 < value < math.inf
