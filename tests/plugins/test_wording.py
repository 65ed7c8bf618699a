"""Numbers with their nouns, and lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fewshot
from fewshot.plugins.wording import agreeing, counted, listed

PACKAGE = Path(fewshot.__file__).parent


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


@pytest.mark.parametrize(("number", "word"), [(1, "is"), (0, "are"), (2, "are"), ("all", "are"), (None, "are")])
def test_a_verb_agrees_with_its_number(number, word):
    assert agreeing(number, "is", "are") == word


BY_HAND = [
    r"\b1 (class|image|run|row|point|rule|vector|entry)\b[^\n]* if [^\n]* == 1 else",
    r"\{'' if [^{}]* == 1 else 's'\}",
    r"'s' \* \(",
    r"\} entries\b",
    r"\}(y|quer\{'y')",
]
ALLOWED = {"files/bars.py", "files/csv_files.py", "plugins/wording.py"}  # below the room of `counted`


def test_no_sentence_makes_a_plural_by_hand():
    by_hand = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in PACKAGE.rglob("*.py")
        if str(path.relative_to(PACKAGE)) not in ALLOWED
        for pattern in BY_HAND
        for match in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]
    assert by_hand == []
