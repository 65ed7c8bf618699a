"""Folders whose file system has no locks: leases stand for them, and the rows are the same."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from fewshot.files.locks import locked, locked_range
from tests.support.command_line import QUICK, succeed

NO_LOCKS = ("ENOLCK", "ENOSYS", "EOPNOTSUPP")
RUN = ("run", *QUICK, "--query", "4")


@pytest.fixture(params=NO_LOCKS)
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `flock` answers on NFS without its lock service, on Lustre without -o flock, and on some of FUSE."""
    number = getattr(errno, request.param)

    def refuse(file: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("without_locks")
def test_a_run_has_the_same_row_without_locks(folder: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows" / "t.jsonl"
    succeed(*RUN, "--data", folder, "--results", rows)
    assert len(rows.read_text().splitlines()) == 1
    assert not list(tmp_path.rglob(".leases/held/*"))


@pytest.mark.usefixtures("without_locks")
@pytest.mark.parametrize("lock", [lambda path: locked(path / "a", "works"), lambda p: locked_range(p, 0, 9, "works")])
def test_a_lease_stands_for_a_lock_and_is_gone_afterwards(tmp_path, lock):
    with lock(tmp_path):
        assert list(tmp_path.glob(".leases/held/*"))
    assert not list(tmp_path.glob(".leases/held/*"))


def test_another_fault_of_a_lock_keeps_its_own_sentence(tmp_path, monkeypatch):
    def refuse(file: int, operation: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match=r"cannot lock .*: Input/output error"), locked(tmp_path / "a", "works"):
        pass


def test_a_lock_without_a_living_holder_is_free_to_the_next_command(folder: Path, tmp_path: Path) -> None:
    rows = tmp_path / "t.jsonl"
    command = (*RUN, "--data", folder, "--results", rows)
    succeed(*command)
    for lock in [*tmp_path.rglob("*.lock"), *tmp_path.rglob("lock")]:  # as a killed process leaves them
        lock.with_name(f"{lock.name}.holder").write_text("1 elsewhere 2026-01-01 00:00:00")
    rows.unlink()
    succeed(*command)
    assert len(rows.read_text().splitlines()) == 1
