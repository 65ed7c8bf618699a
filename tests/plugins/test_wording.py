"""Numbers with their nouns, and lists."""

from __future__ import annotations

import pytest

from fewshot.plugins.wording import counted, listed


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
