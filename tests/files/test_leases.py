"""Leases: one holder, expiry by the clock of the process that looks, and losses that are counted."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fewshot.files.leases import Held, Leases, _machine
from fewshot.files.locks import Busy, locked, locked_range


@dataclass
class Clock:
    """A monotonic clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def leases(tmp_path: Path, clock: Clock | None = None, patience: float = 60.0) -> Leases:
    return Leases(tmp_path / "leases", patience, clock or Clock())


def write_lease(tmp_path: Path, name: str, **fields: object) -> Path:
    path = tmp_path / "leases" / name
    path.parent.mkdir(exist_ok=True)
    values = {"token": "ab", "machine": "elsewhere", "process": 1, "started": "1", "beats": "0"}
    path.write_text(json.dumps(values | fields))
    return path


def test_one_of_many_gets_a_lease(tmp_path):
    got, barrier = [], threading.Barrier(8)

    def claim():
        barrier.wait()
        with leases(tmp_path).claimed("task") as mine:
            got.append(mine)
            barrier.wait()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]
    assert leases(tmp_path).taken() == {}


def test_a_lease_says_who_holds_it(tmp_path):
    with leases(tmp_path).claimed("task"):
        (held,) = leases(tmp_path).taken().values()
    assert held.process == os.getpid()
    assert held.name.startswith(f"process {os.getpid()} on ")


def test_a_lease_that_does_not_change_expires_by_the_clock_of_the_observer(tmp_path):
    write_lease(tmp_path, "task")
    clock = Clock(1e6)
    seen = leases(tmp_path, clock)
    for clock.now in (1e6 + 1, 1e6 + 59):
        assert seen.taken().keys() == {"task"}
    clock.now = 1e6 + 62
    assert seen.taken() == {}
    assert seen.losses("task") == 1


def test_a_sign_of_life_begins_the_time_again(tmp_path):
    clock = Clock()
    seen = leases(tmp_path, clock)
    for beat in range(5):
        write_lease(tmp_path, "task", beats=str(beat))
        assert seen.taken().keys() == {"task"}
        clock.now += 59
    assert seen.losses("task") == 0


@pytest.mark.parametrize("set_back", [-1e9, 1e9])
def test_the_times_of_files_decide_nothing(tmp_path, set_back):
    path = write_lease(tmp_path, "task")
    os.utime(path, (max(0, time.time() + set_back),) * 2)
    assert leases(tmp_path).taken().keys() == {"task"}


def test_the_holder_gives_signs_of_life(tmp_path):
    seen = leases(tmp_path, patience=0.6)
    with seen.claimed("task"):
        first = (tmp_path / "leases" / "task").read_bytes()
        time.sleep(0.3)
        second = (tmp_path / "leases" / "task").read_bytes()
    assert first != second
    assert len(first) == len(second)


def test_the_lease_of_a_dead_process_of_this_machine_is_free_at_once(tmp_path):
    code = "import os, sys; from pathlib import Path; from fewshot.files.leases import Leases\n"
    code += "with Leases(Path(sys.argv[1])).claimed('task'): os._exit(1)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "leases")], check=False)
    assert os.listdir(tmp_path / "leases") == ["task"]
    seen = leases(tmp_path)
    assert seen.taken() == {}
    assert (seen.losses("task"), seen.all_losses()) == (1, ["task"])


def test_a_later_process_of_the_same_number_is_not_the_holder(tmp_path):
    write_lease(tmp_path, "task", machine=_machine(), process=os.getpid(), started="1")
    assert leases(tmp_path).taken() == {}


def test_a_living_process_keeps_its_lease(tmp_path):
    with leases(tmp_path).claimed("task"):
        assert leases(tmp_path).taken().keys() == {"task"}


def test_a_holder_that_lost_its_lease_leaves_that_of_its_successor(tmp_path):
    first, clock = leases(tmp_path, patience=0.6), Clock()
    with first.claimed("task") as mine:
        assert mine
        (tmp_path / "leases" / "task").unlink()
        write_lease(tmp_path, "task", token="of another")
        time.sleep(0.3)
    assert leases(tmp_path, clock).taken()["task"].token == "of another"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"token": 1}', b"\xff\xfe", b"0" * 5000])
def test_a_torn_lease_holds_until_it_expires(tmp_path, content):
    write_lease(tmp_path, "task").write_bytes(content)
    clock = Clock()
    seen = leases(tmp_path, clock)
    assert seen.taken() == {"task": Held()}
    clock.now = 61
    assert seen.taken() == {}


@pytest.mark.parametrize("moment", ["os.write", "threading.Thread.start", "threading.Thread.join"])
def test_an_interruption_at_any_moment_frees_the_lease(tmp_path, monkeypatch, moment):
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    mine = leases(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(moment, interrupted)
        with pytest.raises(KeyboardInterrupt), mine.claimed("a"):
            pass
    assert mine.taken() == {}
    assert mine.all_losses() == []


def test_leases_of_workers_that_were_stopped_are_free_and_not_lost(tmp_path):
    mine = leases(tmp_path)
    write_lease(tmp_path, "here", machine=_machine(), process=7)
    write_lease(tmp_path, "other", machine=_machine(), process=8)
    write_lease(tmp_path, "elsewhere", process=7)
    mine.release([7])
    assert sorted(os.listdir(tmp_path / "leases")) == ["elsewhere", "other"]
    assert mine.all_losses() == []


def test_a_lease_that_a_process_left_behind_is_known_also_after_it_counts_as_lost(tmp_path):
    mine = leases(tmp_path)
    write_lease(tmp_path, "task", machine=_machine(), process=7, started="never")
    for _ in range(2):
        assert mine.held_by(7)
        assert not mine.held_by(8)
        assert mine.taken() == {}
    assert mine.all_losses() == ["task"]


def test_an_error_in_the_work_frees_the_lease(tmp_path):
    with pytest.raises(KeyboardInterrupt), leases(tmp_path).claimed("task"):
        raise KeyboardInterrupt
    assert leases(tmp_path).taken() == {}
    assert leases(tmp_path).losses("task") == 0


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)


def test_a_folder_without_locks_has_leases_in_their_place(tmp_path, no_locks, caplog):
    path = tmp_path / "own" / "rows.lock"
    busy = pytest.raises(Busy, match=f"process {os.getpid()} on .* appends")
    with locked(path, "appends"), busy, locked(path, "appends", wait=False):
        pass
    with locked(path, "appends"):
        pass
    assert caplog.text == ""


def test_ranges_of_a_folder_without_locks_stand_apart(tmp_path, no_locks):
    folder = tmp_path / "parts"
    with (
        locked_range(folder, 0, 10, "solves"),
        locked_range(folder, 10, 20, "solves"),
        pytest.raises(Busy),
        locked_range(folder, 5, 12, "solves", wait=False),
    ):
        pass
    with locked_range(folder, 5, 12, "solves", wait=False):
        pass
