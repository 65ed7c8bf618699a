"""Rules for the fields of members: creating a member with a wrong value raises a ValueError of one sentence.

The annotation of a field gives the type of its values: `int`, `float`, `bool`, `str` or `Path`, optionally `| None`. A
float field accepts integers; True, False and NaN are not numbers. If a field allows less than its type, its class
declares a rule:

    rules = declare(C=POSITIVE, max_iter=integer(1), metric=one_of(METRICS))
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass(frozen=True)
class Rule:
    """What the values of a field must be: in words, and as a function that tests a value."""

    wanted: str
    holds: Callable[[Any], bool]

    def worded(self, wanted: str) -> Rule:
        """The same rule in other words. If the field may be None and the words do not mention None, the error adds
        ", or None"."""
        return dataclasses.replace(self, wanted=wanted)


class Member:
    """The base of all members: a dataclass of hyperparameters, stored unchanged and checked by `rules`.

    A member that checks fields against each other defines its own `__post_init__`, which calls this one first.
    """

    rules: ClassVar[Mapping[str, Rule]] = MappingProxyType({})

    def __post_init__(self) -> None:
        cls: Any = type(self)
        for name, rule, may_be_none in _rules_of(cls):
            value = getattr(self, name)
            if not (rule.holds(value) or (may_be_none and value is None)):
                none = ", or None" if may_be_none and "None" not in rule.wanted else ""
                raise refused(self, name, rule.wanted + none)


def declare(*shared: Mapping[str, Rule], **own: Rule) -> Mapping[str, Rule]:
    """Rules by field name: those of the shared tables, then `own`, which win."""
    return MappingProxyType({name: rule for table in (*shared, own) for name, rule in table.items()})


def refused(member: object, name: str, wanted: str) -> ValueError:
    """The ValueError for a field with a wrong value."""
    value = getattr(member, name)
    return ValueError(f"The {name!r} parameter of {type(member).__name__} must be {wanted}. Got {value!r} instead.")


def is_integer(value: object) -> bool:
    """Whether the value is an integer of Python or numpy; True and False are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether the value is a real number of Python or numpy; True, False, NaN and integers beyond all floats are
    not."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return not math.isnan(value)
    except OverflowError:
        return False


def integer(least: int, below: int | None = None) -> Rule:
    """A rule: integers of at least `least`, and below `below` if given."""
    if below is None:
        return Rule(f"an integer of at least {least}", lambda value: is_integer(value) and value >= least)
    power = below.bit_length() - 1
    end = f"2^{power}" if below == 1 << power and power > 30 else str(below)
    return Rule(f"an integer in [{least}, {end})", lambda value: is_integer(value) and least <= value < below)


def number_in(interval: str) -> Rule:
    """A rule: numbers in an interval such as "(0, 1]"."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    closed = interval[0] == "[", interval[-1] == "]"

    def holds(value: Any) -> bool:
        if not is_number(value):
            return False
        return bool((value >= low if closed[0] else value > low) and (value <= high if closed[1] else value < high))

    return Rule(f"a number in {interval}", holds)


def one_of(names: Collection[str]) -> Rule:
    """A rule: one of these strings."""
    return Rule(f"one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names)


POSITIVE = number_in("(0, inf)").worded("a positive number")
NOT_NEGATIVE = number_in("[0, inf)").worded("a number of at least 0")
SEED = integer(0, 1 << 64)  # the seeds of `fewshot.episodes.draws`
_TEXT = Rule("a string", lambda value: isinstance(value, str))
_OF_ANNOTATION = {
    "bool": Rule("True or False", lambda value: isinstance(value, bool)),
    "int": Rule("an integer", is_integer),
    "float": Rule("a number", is_number),
    "str": _TEXT,
    "Dotted": _TEXT,
    "NameOrPath": Rule("a name or a path", lambda value: isinstance(value, str | os.PathLike)),
    "Path": Rule("a path", lambda value: isinstance(value, str | os.PathLike)),
}


@functools.cache
def _rules_of(cls: type[Any]) -> tuple[tuple[str, Rule, bool], ...]:
    """(name, rule, whether None is allowed too) of each field that has a rule."""
    rules = []
    for field in dataclasses.fields(cls):
        text = field.type.__name__ if isinstance(field.type, type) else str(field.type)
        kinds = [kind.strip() for kind in text.split("|")]
        alone = [kind for kind in kinds if kind not in ("None", "Later")]
        rule = cls.rules.get(field.name) or (_OF_ANNOTATION.get(alone[0]) if len(alone) == 1 else None)
        if rule is not None:
            rules.append((field.name, rule, len(alone) < len(kinds)))
    return tuple(rules)
