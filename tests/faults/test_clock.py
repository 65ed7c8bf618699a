"""A clock that is set back: files of the future change neither a number nor what a report shows."""

from __future__ import annotations

import os
import time
from pathlib import Path

from fewshot.results.files import Results
from tests.support.command_line import SUITE, succeed

YEAR = 365 * 24 * 3600


def age(folder: Path, seconds: float) -> None:
    """Moves the times of all files, as if they were written when the clock was elsewhere."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() + seconds,) * 2)


def test_a_report_shows_new_rows_though_its_file_is_of_the_future(working_folder, tmp_path):
    (tmp_path / "own.py").write_text(SUITE.format(shots="1,"))
    succeed("bench", "own.py")
    page = tmp_path / "results" / "own.html"
    before = page.read_text()
    age(tmp_path / "results", YEAR)
    (tmp_path / "own.py").write_text(SUITE.format(shots="1, 2"))
    succeed("bench", "own.py")
    first, second = Results(tmp_path / "results" / "own.jsonl").rows()
    assert second.run_id not in before
    assert first.run_id in page.read_text()
    assert second.run_id in page.read_text()


def test_a_report_that_shows_its_rows_is_not_written_again(working_folder, tmp_path):
    (tmp_path / "own.py").write_text(SUITE.format(shots="1,"))
    succeed("bench", "own.py")
    page = tmp_path / "results" / "own.html"
    page.write_text("as it was")
    os.utime(page, ns=((tmp_path / "results" / "own.jsonl").stat().st_mtime_ns,) * 2)
    succeed("bench", "own.py")
    assert page.read_text() == "as it was"


def test_a_clock_that_goes_back_while_a_suite_runs_changes_no_number(working_folder, tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(SUITE.format(shots="1, 2"))
    succeed("bench", "own.py", "--results", "right.jsonl")
    ticks = iter(range(10**9))
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 3600.0 * next(ticks))
    monkeypatch.setattr(time, "time_ns", lambda: int(time.time() * 1e9))
    age(tmp_path / "home", YEAR)
    succeed("bench", "own.py", "--results", "other.jsonl")
    succeed("bench", "own.py", "--results", "other.jsonl")
    first, second = ((tmp_path / name).read_text().splitlines() for name in ("right.jsonl", "other.jsonl"))
    assert len(first) == len(second) == 2
