"""A results file is parsed once: what was read is kept, what changed is seen, and memory is bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fewshot.results import reading
from fewshot.results.files import Results
from fewshot.results.row import Row

ROW = Row(run_id="a0", accuracy=0.5, n_episodes=10, dataset="Icons(domain='mono')")


def lines(*names: str, **columns) -> bytes:
    return b"".join(replace(ROW, run_id=name, **columns).to_json().encode() + b"\n" for name in names)


@pytest.fixture
def results(tmp_path):
    reading._KEPT.clear()
    found = Results(tmp_path / "rows.jsonl")
    found.path.write_bytes(lines("a", "b", "c"))
    settle(found.path)
    return found


def settle(path: Path) -> None:
    """Puts the last change of a file into the past."""
    os.utime(path, ns=(time.time_ns(), os.stat(path).st_mtime_ns - 10 * reading._COARSE_NS))


@pytest.fixture
def parsed(monkeypatch):
    """The run ids of the lines that are parsed from here on."""
    found, original = [], Row.from_json

    def counted(line):
        found.append(json.loads(line)["run_id"] if line.startswith("{") and line.endswith("}\n") else line)
        return original(line)

    monkeypatch.setattr(Row, "from_json", staticmethod(counted))
    return found


def ids(results: Results) -> list[str]:
    return [row.run_id for row in results.rows()]


def test_every_line_is_parsed_once_however_often_rows_are_asked_for(results, parsed):
    for _ in range(50):
        assert results.row("b") == replace(ROW, run_id="b")
        assert ids(results) == ["a", "b", "c"]
    assert parsed == ["a", "b", "c"]


def test_of_a_file_that_grew_only_what_follows_is_parsed(results, parsed):
    assert results.row("d") is None
    results.append(replace(ROW, run_id="d"))
    assert results.row("d") is not None
    with open(results.path, "ab") as file:
        file.write(lines("e", "a", n_episodes=20))
    assert ids(results) == ["a", "b", "c", "d", "e"]
    assert results.row("a").n_episodes == 20
    assert parsed == ["a", "b", "c", "d", "e", "a"]


def test_rows_that_another_process_appends_are_seen(results):
    assert results.row("d") is None
    code = "import sys; from pathlib import Path; from fewshot import Results, Row\n"
    code += "Results(Path(sys.argv[1])).append(Row('d'))"
    subprocess.run([sys.executable, "-c", code, str(results.path)], check=True)
    assert results.row("d") is not None


def test_a_line_torn_at_the_end_is_looked_at_again(results, parsed):
    whole = lines("d")
    with open(results.path, "ab") as file:
        file.write(whole[:40])
    assert ids(results) == ["a", "b", "c"]
    assert results.n_unreadable == 1
    with open(results.path, "ab") as file:
        file.write(whole[40:])
    assert ids(results) == ["a", "b", "c", "d"]
    assert results.n_unreadable == 0
    assert [name for name in parsed if len(name) == 1] == ["a", "b", "c", "d"]


def test_a_line_that_ends_while_the_file_is_read_is_never_taken_in_two(results):
    """The reader meets half a line at the end of the file, and the other half when it looks on."""
    half, rest = b'{"run_id": "d", ', b'"accuracy": 0.5}\n'
    torn: list[bytes] = []
    assert list(reading._whole_lines([*lines("a").splitlines(True), half, rest], torn)) == [lines("a")]
    assert torn == [half]


def test_a_last_line_without_its_end_is_a_row_and_stays_one(results):
    with open(results.path, "ab") as file:
        file.write(lines("d").rstrip())
    assert ids(results) == ["a", "b", "c", "d"]
    results.append(replace(ROW, run_id="e"))
    assert ids(results) == ["a", "b", "c", "d", "e"]
    assert results.n_unreadable == 0


def change_in_place(path: Path, content: bytes) -> None:
    with open(path, "rb+") as file:
        file.write(content)
        file.truncate()


def replace_file(path: Path, content: bytes) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(content)
    os.replace(other, path)


@pytest.mark.parametrize("write", [change_in_place, replace_file])
@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (lines("a", "x", "c"), ["a", "x", "c"]),  # as long as it was
        (lines("a"), ["a"]),
        (lines("a", "x", "c", "d"), ["a", "x", "c", "d"]),  # longer, but not by what follows alone
        (lines("c", "a", "b", "d"), ["c", "a", "b", "d"]),
        (b"", []),
    ],
)
def test_a_file_that_changed_is_read_anew(results, write, settled, content, expected):
    if not settled:
        results.path.write_bytes(lines("a", "b", "c"))
    assert ids(results) == ["a", "b", "c"]
    write(results.path, content)
    assert ids(results) == expected


def test_a_change_in_the_tick_of_the_last_one_is_seen(results):
    results.path.write_bytes(lines("a", "b", "c"))
    before = os.stat(results.path)
    assert ids(results) == ["a", "b", "c"]
    change_in_place(results.path, lines("a", "x", "c"))
    os.utime(results.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ids(results) == ["a", "x", "c"]


def test_a_file_that_went_holds_no_rows_and_may_come_back(results):
    assert ids(results) == ["a", "b", "c"]
    results.path.unlink()
    assert (ids(results), results.row("a"), results.n_unreadable) == ([], None, 0)
    results.path.write_bytes(lines("d"))
    assert ids(results) == ["d"]


def test_a_relative_path_belongs_to_the_folder_that_it_is_asked_in(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.jsonl").write_bytes(lines(name))
        monkeypatch.chdir(tmp_path / name)
        assert ids(Results(Path("rows.jsonl"))) == [name]


def test_what_is_kept_is_bounded_and_the_file_asked_for_last_stays(tmp_path, monkeypatch, parsed):
    files = [Results(tmp_path / f"{number}.jsonl") for number in range(4)]
    for file in files:
        file.path.write_bytes(lines("a", "b"))
        settle(file.path)
    monkeypatch.setattr(reading, "MOST_BYTES", 2 * files[0].path.stat().st_size)
    reading._KEPT.clear()
    for file in files:
        file.rows()
    assert list(reading._KEPT) == [file.path for file in files[2:]]
    del parsed[:]
    files[2].rows()
    files[0].rows()
    assert parsed == ["a", "b"]
    assert list(reading._KEPT) == [files[2].path, files[0].path]
    monkeypatch.setattr(reading, "MOST_BYTES", 1)
    files[1].rows()
    assert list(reading._KEPT) == [files[1].path]


def test_rows_that_are_handed_out_are_a_list_of_their_own(results):
    results.rows().clear()
    assert ids(results) == ["a", "b", "c"]


def test_a_measure_that_cannot_be_read_is_an_error_and_not_bad_lines(results, monkeypatch):
    def broken():
        raise ValueError("the measure 'Brier' cannot be imported")

    monkeypatch.setattr(reading, "known_columns", broken)
    with pytest.raises(ValueError, match="'Brier' cannot be imported"):
        results.rows()
