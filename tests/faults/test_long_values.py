"""A long value anywhere in a file that people write: a sentence about it stays short, and nothing else is raised."""

from __future__ import annotations

import re

import pytest

from tests.support.bounded import outcome
from tests.support.readers import READERS

TEXTS = [reader for reader in READERS if reader.kind in ("text", "json")]
_WORD = re.compile(rb"[^\s,:\"'\[\]{}()=]+")
_WORDS = 6  # of each file: its header, or its first line
_LONG = {"letters": b"A" * 5000, "digits": b"9" * 5000, "names": b"name," * 1000 + b"name"}


@pytest.mark.parametrize("reader", TEXTS, ids=str)
def test_a_long_value_makes_no_long_sentence(reader, tmp_path):
    files = reader.write(tmp_path)
    reader.read(tmp_path)
    kinds = set()
    for path in files[:3]:
        before = path.read_bytes()
        for word in list(_WORD.finditer(before))[:_WORDS]:
            for value in _LONG.values():
                path.write_bytes(before[: word.start()] + value + before[word.end() :])
                kinds.add(outcome(lambda: reader.read(tmp_path))[0])
        path.write_bytes(before)
    assert kinds <= {"read", "refused"}
    assert kinds
