"""Texts of strangers hide nothing: no control character, no invisible one, no letter that looks like another."""

from __future__ import annotations

import json

import pytest

from fewshot.sharing.about import About
from fewshot.sharing.plain_texts import check_plain, look_alike, odd_sign, shown
from fewshot.sharing.verify import verify
from tests.support.command_line import call
from tests.support.submissions import change_rows, copied, own_home, submission

HIDDEN = {"U+202E": "a\u202eb", "U+001B": "\x1b[2Jx", "U+200B": "a\u200bb", "U+FEFF": "\ufeffa", "U+000A": "a\nb"}
ALIKE = {"T\u0456mm": "T\u0456mm(name='vit')", "\u0441ifar": "\u0441ifar_fs@1", "\u0391BC": "net \u0391BC"}
PLAIN = [
    "ResNet, \u0394W",
    "\u03b2-VAE at 3 \u00b5m",
    "\u041c\u043e\u0441\u043a\u0432\u0430",
    "\u5c0f\u9ce5 Birds",
    "Zo\u00eb",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
]


@pytest.mark.parametrize("sign", HIDDEN)
def test_a_hidden_character_is_named(sign):
    assert odd_sign(HIDDEN[sign]) == sign
    with pytest.raises(ValueError, match=rf"column x should be a text without .* found {sign.replace('+', '.')}"):
        check_plain("column x", HIDDEN[sign])
    with pytest.raises(ValueError, match="the name of a submission should be a text without control"):
        About(HIDDEN[sign])


@pytest.mark.parametrize("word", ALIKE)
def test_a_letter_that_looks_like_another_is_refused(word):
    assert look_alike(ALIKE[word]) == word
    with pytest.raises(ValueError, match="look alike"):
        About(ALIKE[word])


@pytest.mark.parametrize("text", PLAIN)
def test_words_of_every_language_are_plain(text):
    check_plain("a text", text)
    assert About(text).name == text


def test_a_note_has_lines_and_other_texts_have_none():
    assert About("A", note="one\n\ttwo").note
    with pytest.raises(ValueError, match=r"the authors of .* found U.000A"):
        About("A", authors="one\ntwo")


def test_a_name_is_shown_with_the_codes_of_hidden_characters():
    assert shown("a\u202eb/Zo\u00eb\n") == "a\\u202eb/Zo\u00eb\\n"
    assert shown("plain") == "plain"


def test_no_column_and_no_folder_of_a_submission_turns_what_a_reader_sees(tmp_path):
    with own_home(tmp_path):
        honest = submission(tmp_path)
        texts = [
            name
            for name, value in json.loads((honest / "rows.jsonl").read_text().splitlines()[0]).items()
            if type(value) is str
        ]
        for name in set(texts) - {"run_id", "status", "finished"}:
            forged = copied(honest, tmp_path / f"forged {name}")
            change_rows(forged, lambda row, name=name: row.update({name: f"{row[name]}\u202e"}))
            assert any("control or invisible" in text or "error" in text for text in verify(forged).problems), name
        odd = copied(honest, tmp_path / "all" / "odd\u202eabc")
        assert "\u202e" not in call("verify", odd).output
        (odd / "x").write_text("x")
        done = call("report", "--board", tmp_path / "all", "--out", tmp_path / "board.html")
        assert "odd\\u202eabc" in done.output
        assert "\u202e" not in done.output + (tmp_path / "board.html").read_text(encoding="utf-8")
