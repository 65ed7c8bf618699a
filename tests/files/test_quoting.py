"""What was found in a file stands in sentences in full where it is short, and cut in the middle where it is long."""

from __future__ import annotations

import pytest

from fewshot.files.quoting import first_of, message, quoted, shortened


@pytest.mark.parametrize("value", ["gull", "", "a'b\n", 12, None, 0.5, {"a": [1]}, "x" * 118])
def test_a_short_value_is_its_repr(value):
    assert quoted(value) == repr(value)


@pytest.mark.parametrize("value", ["x" * 119, "x" * 200_000, 10**400, ["name"] * 5000, {"k" * 300: "v" * 300}])
def test_a_long_value_keeps_its_start_and_its_end(value):
    text = quoted(value)
    assert 118 < len(text) <= 120
    start, end = text.split("…")
    assert repr(value).startswith(start)
    assert repr(value).endswith(end)


@pytest.mark.parametrize("most", range(3, 12))
def test_no_text_is_longer_than_it_may_be(most):
    for size in range(20):
        text = "abcdefghijklmnopqrst"[:size]
        short = shortened(text, most)
        assert len(short) <= most
        assert (short == text) == (size <= most)


def test_a_list_counts_the_names_that_it_leaves_out():
    assert first_of([]) == "none"
    assert first_of((), "nothing") == "nothing"
    assert first_of(["gull", 3]) == "gull, 3"
    assert first_of(iter("abcd"), most=3) == "a, b, c and 1 more"
    assert first_of(["x" * 5000] * 2000) == ", ".join([shortened("x" * 5000)] * 20) + " and 1,980 more"


def test_a_message_is_that_of_the_error_or_its_class():
    assert message(ValueError("not a zip file")) == "not a zip file"
    assert message(EOFError()) == "EOFError"
    assert len(message(ValueError("x" * 5000))) <= 400
