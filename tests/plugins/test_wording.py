"""Numbers with their nouns, lists, and hints at the nearest name."""

from __future__ import annotations

import pytest

from fewshot.plugins.wording import counted, did_you_mean, listed, nearest


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (1, "run", "1 run"),
        (0, "run", "0 runs"),
        (1200, "query", "1,200 queries"),
        (2, "day", "2 days"),
        (2, "class", "2 classes"),
        (1, "image pass", "1 image pass"),
    ],
)
def test_a_number_agrees_with_its_noun(number, noun, words):
    assert counted(number, noun) == words


def test_a_list_ends_in_and():
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_the_nearest_names_are_those_that_a_slip_would_miss():
    known = ["LinearProbe", "LinearSVM", "Prototype"]
    assert did_you_mean("linearprob", known) == "; did you mean LinearProbe?"
    assert nearest("linear", known, 2) == ["LinearSVM", "LinearProbe"]


@pytest.mark.parametrize("name", ["nosuchnet", "", "zzz"])
def test_a_name_like_no_other_gets_no_hint(name):
    assert did_you_mean(name, ["resnet18", "LinearProbe", "Prototype", "convnext_tiny"]) == ""
