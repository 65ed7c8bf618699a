"""A member with a wrong value cannot be made: one sentence says which field, what it must be, and what it got."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from fewshot.plugins import fields
from fewshot.plugins.fields import Member, declare, integer, number_in, one_of
from fewshot.plugins.registry import REGISTRIES
from fewshot.plugins.signature import Dotted
from tests.support.members import made

NAN = float("nan")
WRONG = {
    "int": [True, False, 2.5, 2.0, "3", NAN, None, np.bool_(True)],
    "float": [True, False, "0.5", NAN, None, 1j],
    "bool": [0, 1, 1.0, "yes", None, np.bool_(True)],
    "str": [3, 0.5, True, None, b"x", ("x",)],
    "Path": [3, True, None, b"x"],
}
WRONG["Dotted"] = WRONG["str"]
MEMBERS = [registry.get(name) for registry in REGISTRIES for name in registry.names()]
FIELDS = [(cls, field) for cls in MEMBERS for field in dataclasses.fields(cls)]


def kinds(field):
    return [kind.replace("Later", "None") for kind in field.type.split(" | ")]


@pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.__name__)
def test_every_member_can_be_made_and_checks_its_fields(cls):
    assert isinstance(made(cls), Member)
    assert set(cls.rules) <= {field.name for field in dataclasses.fields(cls)}


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=lambda x: x.__name__ if isinstance(x, type) else x.name)
def test_wrong_types_are_told_when_a_member_is_made(cls, field):
    for wrong in WRONG.get(kinds(field)[0], ()):
        if wrong is None and "None" in kinds(field):
            assert getattr(made(cls, **{field.name: None}), field.name) is None
            continue
        form = rf"^The '{field.name}' parameter of {cls.__name__} must be .+\. Got {re.escape(repr(wrong))} instead\.$"
        with pytest.raises(ValueError, match=form):
            made(cls, **{field.name: wrong})


def test_scalar_fields_are_most_of_all_fields():
    checked = [kinds(field)[0] for _, field in FIELDS if kinds(field)[0] in WRONG]
    assert len(checked) > 100
    assert set(checked) == set(WRONG)


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=lambda x: x.__name__ if isinstance(x, type) else x.name)
def test_numbers_of_numpy_are_numbers_and_are_stored_unchanged(cls, field):
    default = field.default
    if type(default) not in (int, float):
        return
    for number in (np.int64(default), np.int32(default)) if type(default) is int else (np.float64(default),):
        assert getattr(made(cls, **{field.name: number}), field.name) is number


@dataclasses.dataclass(frozen=True)
class Example(Member):
    """Annotations are texts here, because of the __future__ import."""

    rate: float = 0.5
    steps: int | None = None
    kind: str = "a"
    code: Dotted = "x:y"
    free: object = None

    rules = declare({"rate": number_in("(0, 1]")}, steps=integer(2, below=1 << 40), kind=one_of(("a", "b")))


Typed = dataclasses.make_dataclass("Typed", [("n", int, 1), ("on", bool | None, None)], bases=(Member,), frozen=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 0}, r"must be a number in (0, 1]. Got 0 instead."),
        ({"rate": math.inf}, r"must be a number in (0, 1]. Got inf instead."),
        ({"steps": 1}, "must be an integer in [2, 2^40), or None. Got 1 instead."),
        ({"steps": 1 << 40}, "must be an integer in [2, 2^40), or None. Got 1099511627776 instead."),
        ({"kind": "c"}, "must be one of a, b. Got 'c' instead."),
        ({"kind": None}, "must be one of a, b. Got None instead."),
        ({"code": 1}, "must be a string. Got 1 instead."),
    ],
)
def test_rules_say_what_is_good(given, message):
    with pytest.raises(ValueError, match=re.escape(f"The {next(iter(given))!r} parameter of Example {message}")):
        Example(**given)


def test_what_keeps_the_rules_is_stored_unchanged():
    member = Example(rate=1, steps=np.int64(2), kind="b", free=object)
    assert (type(member.rate), type(member.steps), member.free) == (int, np.int64, object)


def test_annotations_that_are_no_texts_count_too():
    assert Typed(on=True).on
    for wrong in ({"n": True}, {"n": None}, {"on": 1}):
        with pytest.raises(ValueError, match=rf"The '{next(iter(wrong))}' parameter of Typed must be"):
            Typed(**wrong)


def test_ends_of_intervals_are_in_or_out():
    for interval, good, bad in (
        ("[0, 1)", (0, 0.5), (1, -1e-9)),
        ("(0, 1]", (1, 1e-9), (0, 1.1)),
        ("[1, inf)", (1,), (math.inf,)),
    ):
        assert all(map(number_in(interval).holds, good))
        assert not any(map(number_in(interval).holds, bad))


def test_another_wording_keeps_the_rule():
    rule = integer(2).worded("None (leave one out) or an integer of at least 2")
    assert rule.holds(2)
    assert not rule.holds(1)
    assert str(fields.refused(Example(), "steps", rule.wanted)).startswith(
        "The 'steps' parameter of Example must be None ("
    )
