"""The grammar of conditions: what a text means, and that nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.results.conditions import Condition, conditions

LINE = {
    "k_shot": 5,
    "accuracy": 0.75,
    "backbone": "Packaged(name='tf_efficientnet_lite0', image_size=128)",
    "evaluator": "TIM(alpha=2.0, weights=(1.0, 1.0))",
    "transductive": True,
    "n_way": None,
    "error": "the owl's nest, and more",
    "Training": "1",
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("k_shot == 5", True),
        ("k_shot=5", True),
        ("k_shot=5.0", True),
        ("k_shot != 5", False),
        ("k_shot >= 5, accuracy < 0.8", True),
        ("k_shot >= 5 and accuracy < 0.7", False),
        ("evaluator=TIM(alpha=2.0, weights=(1.0, 1.0)),k_shot<6", True),
        ("backbone ~ lite0", True),
        ("backbone ~ LITE1", False),
        ("backbone == \"Packaged(name='tf_efficientnet_lite0', image_size=128)\"", True),
        ("transductive == true", True),
        ("transductive = False", False),
        ("n_way == none", True),
        ("n_way != None", False),
        ("n_way == 5", False),
        ("n_way ~ 5", False),
        ('error == "the owl\'s nest, and more"', True),
        ("error ~ owl's nest", True),
        ("error ~ nest, k_shot = 5", True),
        ("error ~ 'nest, and' and k_shot = 5", True),
        ("Training=1", True),
        ("unknown = ", True),
    ],
)
def test_a_condition_means_what_it_says(text, met):
    assert all(part.holds(LINE) for part in conditions(text)) is met


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a condition reads COLUMN == VALUE, with ==, !=, <, <=, >, >= or ~ .contains., got ''"),
        ("k_shot", "a condition reads COLUMN == VALUE.* got 'k_shot'"),
        ("k_shot == 5,", "a condition reads COLUMN == VALUE.* got ''"),
        ("== 5", "a condition reads COLUMN == VALUE.* got '== 5'"),
        ("k_shot == 5 or k_shot == 1", "compares twice; join conditions with a comma, or put the value in quotes"),
        ("1 < k_shot < 5", "compares twice"),
        ("k_shot > five", "> compares numbers, but 'five' in 'k_shot > five' is not one; write =, != or ~"),
        ("k_shot === 5", "compares twice"),
    ],
)
def test_any_other_text_is_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        conditions(text)


@given(st.text())
def test_every_text_is_conditions_or_one_sentence(text):
    try:
        parts = conditions(text)
    except ValueError:
        return
    assert {part.holds(LINE) for part in parts} <= {True, False}


@given(st.text(st.characters(exclude_characters="'\\\0", exclude_categories=["Cc", "Cs"])))
def test_a_quoted_value_is_any_text(value):
    assert conditions(f"name = '{value}', k_shot = 5") == [Condition("name", "=", value), Condition("k_shot", "=", "5")]


def test_nothing_is_evaluated(tmp_path):
    (condition,) = conditions(f"error = open({str(tmp_path / 'new')!r}, 'w')")
    assert not condition.holds(LINE)
    assert not (tmp_path / "new").exists()
