"""A process that waits for a lock says for whom; the lock of a dead process is free."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from fewshot.files.locks import Busy, locked, locked_range

HOLD = "import sys, time; from pathlib import Path; from fewshot.files.locks import locked\n"
HOLD += "with locked(Path(sys.argv[1]), 'works'): print('held', flush=True); time.sleep(60)"

HOLD_RANGE = "import sys, time; from pathlib import Path; from fewshot.files.locks import locked_range\n"
HOLD_RANGE += "with locked_range(Path(sys.argv[1]), 10, 20, 'works'): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def holder(tmp_path):
    with _holding(HOLD, tmp_path / "a.lock") as process:
        yield process


@contextmanager
def _holding(code, path):
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_waits_names_the_process_that_holds_the_lock_and_since_when(tmp_path, holder, caplog):
    threading.Timer(0.3, os.kill, (holder.pid, signal.SIGKILL)).start()
    with locked(tmp_path / "a.lock", "computes run 12ab"):
        pass
    (warning,) = caplog.messages
    assert f"process {holder.pid} on " in warning
    assert " (since 20" in warning
    assert warning.endswith("computes run 12ab; waiting for it to finish")


def test_a_free_lock_and_one_that_is_free_soon_are_taken_without_a_word(tmp_path, holder, caplog):
    threading.Timer(0.2, os.kill, (holder.pid, signal.SIGKILL)).start()
    with locked(tmp_path / "b.lock", "works"), locked(tmp_path / "a.lock", "works", patience=20):
        assert (tmp_path / "a.lock.holder").read_text().startswith(f"{os.getpid()} ")
    assert not caplog.messages
    assert not list(tmp_path.glob("*.holder"))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot create the folder"), locked(tmp_path / "file" / "a.lock", "works"):
        pass


def test_ranges_that_overlap_are_busy_and_others_are_free(tmp_path):
    with _holding(HOLD_RANGE, tmp_path) as process:
        for start, stop in ((0, 10), (20, 30), (0, 5), (19, 19)):
            with locked_range(tmp_path, start, stop, "works", wait=False):
                pass
        for start, stop in ((0, 11), (10, 20), (12, 15), (19, 40), (0, 100)):
            with (
                pytest.raises(Busy, match=f"process {process.pid} on "),
                locked_range(tmp_path, start, stop, "works", False),
            ):
                pass


def test_who_waits_for_a_range_says_so_once_and_takes_it_when_it_is_free(tmp_path, caplog):
    with _holding(HOLD_RANGE, tmp_path) as process:
        threading.Timer(0.7, os.kill, (process.pid, signal.SIGKILL)).start()
        with locked_range(tmp_path, 0, 13, "computes run 12ab"):
            pass
    (warning,) = caplog.messages
    assert warning.endswith("computes run 12ab; waiting for it to finish")
