"""Digests that are kept on the disk: one that changed there is not believed, and its image is decoded once more."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.datasets import _digests
from fewshot.datasets._digests import Files, picture_facts
from fewshot.datasets._kept_digests import kept_digest
from tests.support.pictures import write_pictures


@pytest.fixture
def paths(tmp_path):
    """Twelve pictures, whose digests are kept."""
    write_pictures(tmp_path / "pictures", [6, 6])
    found = sorted((tmp_path / "pictures").glob("*/*.png"))
    picture_facts(Files(found))
    return found


@pytest.fixture
def decoded(monkeypatch):
    """The images that are decoded, one after the other."""
    seen = []
    decode = _digests.facts_of_file
    monkeypatch.setattr(_digests, "facts_of_file", lambda path, draft: seen.append(path) or decode(path, draft))
    return seen


def change(home, sql: str) -> None:
    with closing(sqlite3.connect(home / "digests.sqlite")) as database, database:
        database.execute(sql)


def test_digests_are_kept(paths, decoded):
    assert len({facts.digest for facts in picture_facts(Files(paths))}) == 12
    assert decoded == []


CHANGES = {
    "UPDATE digests SET digest = x'00' || substr(digest, 2)": 12,
    "UPDATE digests SET digest = substr(digest, 1, length(digest) - 1) || x'00'": 12,
    "UPDATE digests SET digest = substr(digest, 1, 32)": 12,  # as older releases kept them
    "UPDATE digests SET digest = NULL": 12,
    "UPDATE digests SET digest = 'text'": 12,
    "UPDATE digests SET digest = 7": 12,
    "UPDATE digests SET digest = (SELECT digest FROM digests LIMIT 1)": 11,  # all others have that of one image
}


@pytest.mark.parametrize("sql", CHANGES)
def test_changed_entries_are_not_believed(paths, decoded, own_home, sql):
    right = picture_facts(Files(paths))
    change(own_home, sql)
    assert picture_facts(Files(paths)) == right
    assert len(decoded) == CHANGES[sql]
    assert picture_facts(Files(paths)) == right
    assert len(decoded) == CHANGES[sql]


def test_an_entry_of_another_file_is_not_believed(paths, own_home):
    assert kept_digest(paths[0], "vectors", lambda: b"a" * 32) == b"a" * 32
    change(own_home, "UPDATE digests SET digest = (SELECT digest FROM digests LIMIT 1)")
    assert kept_digest(paths[0], "vectors", lambda: b"b" * 32) == b"b" * 32


@given(st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=20, unique=True))
def test_whatever_bits_flip_the_digests_are_right(paths, own_home, bits):
    database = own_home / "digests.sqlite"
    right, whole = picture_facts(Files(paths)), database.read_bytes()
    content = bytearray(whole)
    for at in bits:
        content[at // 8 % len(content)] ^= 1 << at % 8
    database.write_bytes(content)
    assert picture_facts(Files(paths)) == right
    database.write_bytes(whole)
