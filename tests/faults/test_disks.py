"""Full and read-only disks: one sentence, exit code 1, nothing broken behind; with space again the same bits."""

from __future__ import annotations

import random
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fewshot.results.files import Results
from tests.support.fault_counts import LONG, keep, tries
from tests.support.fault_suite import BENCH, outcome, write_suite
from tests.support.small_disks import Disk, disk, mountable
from tests.support.warm_processes import finish, start

ENOUGH = 64 << 20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Disk]:
    """A small disk; its size is set later."""
    if not mountable(tmp_path / "try"):
        pytest.skip("this process may not mount a file system; RLIMIT_FSIZE stands for it in another test")
    with disk(tmp_path / "disk", ENOUGH) as mounted:
        yield mounted


def refusal(place: Path) -> str:
    """The one error sentence of a suite that had too little space; its output is outside of the small disk."""
    lines = [line for line in (place / "phase.err").read_text().splitlines() if line.startswith("Error: ")]
    assert "Traceback" not in (place / "phase.err").read_text()
    assert lines, (place / "phase.err").read_text()
    return lines[-1]


@pytest.mark.parametrize("full", ["results", "caches"] if LONG else ["results"])
def test_a_disk_that_fills_up_at_any_point_costs_no_number(full, small, tmp_path, whole):
    numbers, refused, equal = tries(1, 25), 0, 0
    for number in numbers:
        place = write_suite(tmp_path / str(number))
        own = small.folder / str(number)
        own.mkdir()
        (own / "held").write_bytes(bytes(4096))
        rows, home = (own / "rows.jsonl", tmp_path / f"home{number}")
        if full == "caches":
            rows, home = place / "rows.jsonl", own / "home"
        command = ("bench", "suite.py", "--results", rows)
        room = random.Random(f"{full} {number}").randrange(4096, whole.n_bytes // 2)
        small.resize(used(small) + room)
        code = finish(start(place, *command, FEWSHOT_HOME=str(home)))
        if code:
            assert code == 1
            reason = refusal(place)
            assert "No space left on device" in reason
            assert not Results(rows).n_unreadable, "a part of a row was left behind"
            refused += 1
        small.resize(ENOUGH)
        assert finish(start(place, *command, FEWSHOT_HOME=str(home))) == 0
        equal += outcome(rows.parent, home) == whole.outcome
    keep(
        "disks",
        f"full disk of {full}",
        tried=len(numbers),
        one_sentence=refused,
        equal=equal,
    )
    assert equal == len(numbers)


def used(small: Disk) -> int:
    """The bytes on a small disk."""
    return sum(path.stat().st_blocks * 512 for path in small.folder.rglob("*")) + 8192


def test_a_limit_of_the_size_of_files_costs_no_number(tmp_path, whole):
    numbers, failed, equal = tries(1, 25), 0, 0
    for number in numbers:
        place = write_suite(tmp_path / str(number))
        most = random.Random(f"limit {number}").randrange(200, 60_000)
        code = finish(start(place, *BENCH, limits={resource.RLIMIT_FSIZE: most}))
        assert code in (0, 1)
        if code:
            assert "File too large" in refusal(place)
            failed += 1
        assert finish(start(place, *BENCH)) == 0
        equal += outcome(place) == whole.outcome
    keep("disks", "limit of the size of files", tried=len(numbers), one_sentence=failed, equal=equal)
    assert equal == len(numbers)


@pytest.mark.parametrize("protected", ["results", "caches"])
def test_a_read_only_folder_is_one_sentence(protected, small, tmp_path):
    place = write_suite(tmp_path / "suite")
    small.protect()
    rows, home = (small.folder, place / "home") if protected == "results" else (place, small.folder / "home")
    code = finish(start(place, "bench", "suite.py", "--results", rows / "rows.jsonl", FEWSHOT_HOME=str(home)))
    assert code == 1
    assert "Read-only file system" in refusal(place)


def test_finished_results_on_a_read_only_disk_are_shown(small, tmp_path, whole):
    place = write_suite(tmp_path / "suite")
    there = shutil.copytree(whole.place, small.folder / "suite")
    small.protect()
    for command in (
        ("results", "list", there / "rows.jsonl"),
        ("report", there / "rows.jsonl", "--out", place / "page.html"),
    ):
        ended = finish(start(place, *command, FEWSHOT_HOME=str(there / "home")))
        assert ended == 0, (place / "phase.err").read_text()
    assert outcome(there) == whole.outcome
