"""Errors that are stored in rows hold no folder of the machine that they were made on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.files.places import without_places

NAMES = st.text("abcXYZ019._-", min_size=1, max_size=8).filter(lambda name: name.strip("."))


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "cwd", lambda: Path("/home/ann/My work"))
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ann"))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("there is no file /home/ann/My work/birds/a.png", "there is no file birds/a.png"),
        ("in /home/ann/nets/own.py, line 3 (fit)", "in ~/nets/own.py, line 3 (fit)"),
        ("'/scratch/ann/birds'", "'…/birds'"),
        ("see https://host/a/b.html, 3 images/s, 5/6", "see https://host/a/b.html, 3 images/s, 5/6"),
        ("the folder /home/ann/My work", "the folder ./"),
        ("/home/anna/x.py", "…/x.py"),
        ("File(path=/data/x/y.npz)", "File(path=…/y.npz)"),
        ("birds/a.png and ../b.png", "birds/a.png and ../b.png"),
    ],
)
def test_folders_are_shortened(text, short):
    assert without_places(text) == short


@given(st.lists(NAMES, min_size=2, max_size=5), st.sampled_from(["{}", "cannot read {}: no", "'{}'", "({})"]))
def test_no_folder_stays(names, sentence):
    short = without_places(sentence.format("/" + "/".join(names)))
    assert short == sentence.format("…/" + names[-1])
    assert without_places(short) == short
