"""The release and the time of a submission are such, and contradict none of its rows."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from fewshot.results.rules import time_of
from fewshot.sharing.about import About
from fewshot.sharing.layout import ABOUT
from fewshot.sharing.releases import contradictions, numbers_of
from fewshot.sharing.verify import verify
from tests.support.report_rows import row
from tests.support.submissions import change_json, change_rows, copied, own_home, submission

NOW = datetime.datetime.now(datetime.UTC)


def test_numbers_of_releases_compare_as_versions_do():
    assert numbers_of("0.1.0") == numbers_of("0.1") == numbers_of("0.1.0rc1") == (0, 1)
    assert (numbers_of("0.0.9") or ()) < (numbers_of("0.1.0.dev3+g12") or ()) < (numbers_of("0.10") or ())
    for text in ("", "0.1.0 ", "v1", "<script>alert(9)</script>", "1..2", "01.2", "0.1\n", "\u0661.0"):
        assert numbers_of(text) is None, text


def test_times_without_a_zone_are_utc():
    assert time_of("2026-01-31T12:00:00") == time_of("2026-01-31T13:00:00+01:00")
    assert time_of("9999-99-99") is None


CONTRADICTORY = {
    "an older release": (
        {"versions": "fewshot 0.2.0, torch 2.8.0"},
        "fewshot 0.1.0 is said to have written the submission, but fewshot 0.2.0 computed the run",
    ),
    "no release": ({"versions": "fewshot <b>, torch 2"}, "its versions name fewshot '<b>', which is no release"),
    "a later row": (
        {"finished": "2026-02-05T00:00:00+00:00"},
        "it finished 2026-02-05T00:00:00+00:00, but the submiss",
    ),
    "a row of the future": ({"finished": "2999-01-01"}, "column finished should be at most now, found 2999-01-01"),
}


@pytest.mark.parametrize("what", CONTRADICTORY)
def test_what_a_row_contradicts_is_named(what):
    columns, words = CONTRADICTORY[what]
    about = About("A", made="2026-02-01T00:00:00+00:00", fewshot="0.1.0")
    assert list(contradictions(about, [row()])) == []
    (problem,) = contradictions(about, [row(**columns)])
    assert words in problem


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    with own_home(folder):
        return submission(folder)


STATED = {
    "a script as release": ({"fewshot": "<script>alert(9)</script>"}, "should be a release such as '0.1.0'"),
    "no release": ({"fewshot": ""}, "should be a release such as '0.1.0'"),
    "an older release": ({"fewshot": "0.0.9"}, "is said to have written the submission, but fewshot"),
    "no date": ({"made": "9999-99-99"}, "should be a date and time such as"),
    "a date of the future": ({"made": (NOW + datetime.timedelta(days=9)).isoformat()}, "which is in the future"),
    "a date before its rows": ({"made": "2020-01-01T00:00:00+00:00"}, "is said to be of 2020-01-01"),
}


@pytest.mark.parametrize("what", STATED)
def test_a_submission_that_states_what_cannot_be_is_refused(honest, tmp_path, what):
    values, words = STATED[what]
    forged = copied(honest, tmp_path / "forged")
    change_json(forged, ABOUT, lambda held: held.update(values))
    assert any(words in text for text in verify(forged).problems), verify(forged).problems


IMPOSSIBLE = {
    "images_per_second": -1,
    "image_bytes_per_second": -1.5,
    "device_use": -1,
    "seconds_embedding": 1e308,
    "seconds_solving": 1e12,
    "seconds_per_episode": 1e308,
    "device_joules": -1.0,
    "finished": "<script>",
}


@pytest.mark.parametrize("column", IMPOSSIBLE)
def test_an_impossible_value_is_refused_by_every_reader_with_column_range_and_value(honest, tmp_path, column):
    from fewshot.results.files import Results
    from fewshot.results.row import Row

    forged = copied(honest, tmp_path / "forged")
    change_rows(forged, lambda values: values.update({column: IMPOSSIBLE[column]}))
    (problem,) = verify(forged).problems
    assert f"column {column} should be " in problem
    assert problem.endswith(f"found {IMPOSSIBLE[column]!r}")
    line = (forged / "rows.jsonl").read_text(encoding="utf-8").splitlines()[0]
    with pytest.raises(ValueError, match=f"column {column} should be "):
        Row.from_json(line)
    assert Results(forged / "rows.jsonl").n_unreadable == 1
