"""Locks between processes that say who holds them: a process that waits prints one sentence.

On a file system without locks, leases (leases.py) stand for them.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from fewshot.files.atomic import make_folder
from fewshot.files.leases import Held, Leases
from fewshot.files.regular import check_regular, read_text

_log = logging.getLogger("fewshot")
_LOOK_AGAIN = 0.2  # seconds between two looks at the ranges that other processes hold
_WAITING = "%s %s; waiting for it to finish"
_FEW = 5.0  # seconds: another process looks at the ranges


# What a file system without locks says: NFS without its lock service, Lustre without -o flock, some of FUSE.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


class Busy(Exception):
    """Another process holds a lock, and the caller does not want to wait for it."""


@contextmanager
def locked(path: Path, work: str, patience: float = 0.0, wait: bool = True) -> Iterator[None]:
    """Holds a lock file. After `patience` seconds of waiting, a warning names the process that holds it, since when,
    and its `work`, such as "computes run 12ab"; without `wait`, this raises Busy then. The lock of a dead process is
    free."""
    from filelock import Timeout

    make_folder(path.parent)
    if not _has_locks(path.parent):
        with _leased(path, work, patience, wait):
            yield
        return
    lock, holder = _lock(path), _holder(path)
    with _errors_named(path):
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            if not wait:
                raise Busy(f"{_read(holder)} {work}") from None
            _log.warning(_WAITING, _read(holder), work)
            lock.acquire()
    try:
        with contextlib.suppress(OSError, ValueError):  # the name is for people; the lock holds without it
            check_regular(holder).write_text(f"{os.getpid()} {socket.gethostname()} {datetime.now():%Y-%m-%d %H:%M:%S}")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


@contextmanager
def locked_range(folder: Path, start: int, stop: int, work: str, wait: bool = True) -> Iterator[None]:
    """Holds the range [start, stop) of a folder, once no living process holds a range that overlaps it. While one does,
    this waits, with one warning as `locked` gives it, or raises Busy without `wait`."""
    own, warned = folder / f".{start:09d}-{stop:09d}.lock", False
    with ExitStack() as stack:
        while True:
            with locked(folder / ".ranges.lock", f"looks at {folder}", _FEW):  # one process at a time looks and takes
                if (other := _held(folder, start, stop)) is None:
                    stack.enter_context(locked(own, work))
                    break
                holder = _read(_holder(other))
            if not wait:
                raise Busy(f"{holder} {work}")
            if not warned:
                _log.warning(_WAITING, holder, work)
            warned = True
            time.sleep(_LOOK_AGAIN)
        yield


@contextmanager
def _leased(path: Path, work: str, patience: float, wait: bool) -> Iterator[None]:
    """`locked`, by a lease in place of a lock."""
    leases, since, warned = _leases(path.parent), time.monotonic(), False
    while True:
        with leases.claimed(path.name) as mine:
            if mine:
                yield
                return
        holder = leases.taken().get(path.name, Held()).name
        if time.monotonic() - since >= patience and not warned:
            if not wait:
                raise Busy(f"{holder} {work}")
            _log.warning(_WAITING, holder, work)
            warned = True
        time.sleep(_LOOK_AGAIN)


@cache
def _leases(folder: Path) -> Leases:
    """The leases that stand for the locks of a folder; one object, because it remembers since when it saw each."""
    return Leases(folder / ".leases" / "held")


@cache
def _has_locks(folder: Path) -> bool:
    """Whether the file system of a folder has locks; some network file systems have none."""
    try:
        import fcntl
    except ImportError:  # Windows locks in another way
        return True
    try:
        with TemporaryFile(dir=folder) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # others, such as a folder that is not writable, have their own sentences
        return error.errno not in _NO_LOCKS
    return True


def _held(folder: Path, start: int, stop: int) -> Path | None:
    """The first lock of a range that overlaps [start, stop) and that a living process holds."""
    from filelock import Timeout

    if not _has_locks(folder):
        names = [name for name in _leases(folder).taken() if _overlaps(name, start, stop)]
        return folder / names[0] if names else None
    for path in sorted(folder.glob(".*-*.lock")):
        if not _overlaps(path.name, start, stop) or not path.is_file():
            continue
        try:
            with _errors_named(path):
                _lock(path).acquire(timeout=0).lock.release()
        except Timeout:
            return path
    return None


def _overlaps(name: str, start: int, stop: int) -> bool:
    """Whether a file is the lock of a range that overlaps [start, stop)."""
    match = re.fullmatch(r"\.(\d+)-(\d+)\.lock", name, re.ASCII)
    return match is not None and max(start, int(match[1])) < min(stop, int(match[2]))


def _lock(path: Path) -> Any:
    """The lock of a file, by the system alone: a file that only marks a lock would outlive a process that is killed."""
    from filelock import FileLock

    return FileLock(path, **_strict())


@cache
def _strict() -> dict[str, Any]:
    """The option that forbids marks in place of locks, for the releases of filelock that have it."""
    from filelock import FileLock

    return {"fallback_to_soft": False} if "fallback_to_soft" in inspect.signature(FileLock.__init__).parameters else {}


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    """An OSError of one sentence for a lock that cannot be taken; a Timeout and Busy stay what they are."""
    from filelock import Timeout

    try:
        yield
    except Timeout:
        raise
    except OSError as error:
        raise OSError(
            f"cannot lock {path}: {error.strerror or error}; make the folder writable or choose another"
        ) from error


def _holder(path: Path) -> Path:
    """The file that names the process that holds a lock."""
    return path.with_name(f"{path.name}.holder")


def _read(holder: Path) -> str:
    """The process that holds a lock, in words."""
    try:
        process, host, since = read_text(holder).split(maxsplit=2)
    except (OSError, ValueError):
        return "another process"
    return f"process {process} on {host} (since {since})"
