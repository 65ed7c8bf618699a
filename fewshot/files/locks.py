"""Locks between processes that say who holds them: a process that waits prints one sentence."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from fewshot.files.atomic import make_folder
from fewshot.files.regular import check_regular, read_text

_log = logging.getLogger("fewshot")


@contextmanager
def locked(path: Path, work: str, patience: float = 0.0) -> Iterator[None]:
    """Holds a lock file. After `patience` seconds of waiting, a warning names the process that holds it, since when,
    and its `work`, such as "computes run 12ab". The lock of a dead process is free."""
    from filelock import FileLock, Timeout

    make_folder(path.parent)
    lock, holder = FileLock(path), path.with_name(f"{path.name}.holder")
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        _log.warning("%s %s; waiting for it to finish", _read(holder), work)
        lock.acquire()
    except OSError as error:
        raise OSError(
            f"cannot lock {path}: {error.strerror or error}; make the folder writable or choose another"
        ) from error
    try:
        with contextlib.suppress(OSError, ValueError):  # the name is for people; the lock holds without it
            check_regular(holder).write_text(f"{os.getpid()} {socket.gethostname()} {datetime.now():%Y-%m-%d %H:%M:%S}")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _read(holder: Path) -> str:
    """The process that holds a lock, in words."""
    try:
        process, host, since = read_text(holder).split(maxsplit=2)
    except (OSError, ValueError):
        return "another process"
    return f"process {process} on {host} (since {since})"
