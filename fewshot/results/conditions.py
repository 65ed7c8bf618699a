"""Conditions on lines by column: "Training=1", "shots<=5,model=ViT"."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PART = re.compile(r"\s*([^=<>!]+?)\s*(!=|<=|>=|=|<|>)=?\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True)
class Condition:
    """A condition on one column of a line."""

    column: str
    sign: str
    wanted: str

    def holds(self, line: Mapping[str, Any]) -> bool:
        """Whether a line meets the condition. Numbers are compared as numbers; texts can only be equal or not."""
        value = line.get(self.column)
        left, right = as_number(value), as_number(self.wanted)
        if left is not None and right is not None:
            return _COMPARE[self.sign](left, right)
        return self.sign in ("=", "!=") and _COMPARE[self.sign](str(value), self.wanted)


def conditions(text: str) -> list[Condition]:
    """The parts of a condition, separated by commas. Commas inside brackets or quotes belong to a value, as in
    "evaluator=LinearProbe(C=1.0, max_iter=100)". Raises a ValueError for anything else."""
    return [_condition(part) for part in _parts(text)]


def _condition(text: str) -> Condition:
    match = _PART.fullmatch(text)
    if not match:
        raise ValueError(f"a condition must read COLUMN=VALUE, with =, !=, <, <=, > or >=, got {text!r}")
    return Condition(*match.groups())


def _parts(text: str) -> list[str]:
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and depth:
            quote = letter
        else:
            depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth <= 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def as_number(value: Any) -> float | None:
    """A number, or the number in a text; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # text, None, or an integer too large for a float
        return None
    return None if math.isnan(number) else number
