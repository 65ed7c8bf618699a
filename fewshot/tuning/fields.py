"""Hyperparameters of evaluators that tune, checked: every wrong value is one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable


def check_fields(evaluator: object, rules: Iterable[tuple[str, object, str]]) -> None:
    """A ValueError for the first (field, whether it is good, what it must be) that is not good."""
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
