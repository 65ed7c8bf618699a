"""Rows of a results file, parsed once: they are kept in memory, and a file that grew is read from where reading ended.

A file is known by its inode, size and time of change. Where one of them differs, the part that was read is compared by
its digest, which takes a hundredth of the time of parsing; where it is the same, only what follows is parsed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

from fewshot.results.row import Row, known_columns

MOST_BYTES = 128 << 20  # of files whose rows are kept, beside the file that was read last
_COARSE_NS = 100_000_000  # a file that changed so shortly before it was read may change again in the same tick
_CHUNK_BYTES = 1 << 20
_log = logging.getLogger("fewshot")
_Stamp = tuple[int, int, int, int]  # device, inode, size, nanoseconds of the last change


@dataclass(frozen=True, eq=False)
class Reading:
    """What the first `n_bytes` of a file hold; they end with a line."""

    latest: Mapping[Any, Row] = field(default_factory=dict)  # results by run id, failures by what was asked for
    n_lines: int = 0
    n_unreadable: int = 0
    first_unreadable: int = 0  # number of the line, from 1
    n_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)  # of these bytes


@dataclass(frozen=True)
class _Kept:
    stamp: _Stamp
    read_ns: int  # when reading began
    whole: Reading  # of whole lines
    shown: Reading  # with the last line, where that has no end yet

    @property
    def settled(self) -> bool:
        """Whether every later change has another stamp."""
        return self.stamp[3] < self.read_ns - _COARSE_NS


_KEPT: dict[Path, _Kept] = {}  # the file that was asked for last stands last


def read(path: Path) -> Reading:
    """What a file holds now; nothing where there is none. Unreadable lines are counted, with a warning."""
    key = path.absolute()
    stamp = _stamp(path)
    if stamp is None:
        _KEPT.pop(key, None)
        return Reading()
    kept = _KEPT.get(key)
    if kept is None or kept.stamp != stamp or not kept.settled:
        kept = _read(path, kept)
        if kept.shown.n_unreadable:
            _warn_unreadable(path, kept.shown.n_unreadable, kept.shown.first_unreadable)
    _keep(key, kept)
    return kept.shown


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path} is not a file of rows but a folder or device; name another")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path, kept: _Kept | None) -> _Kept:
    known_columns()  # a measure that cannot be read is an error of its own, not one of every line
    now = time.time_ns()
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        start = kept.whole if kept is not None and _begins_with(file, kept.whole) else Reading()
        file.seek(start.n_bytes)
        torn: list[bytes] = []
        whole = _with_lines(start, _whole_lines(file, torn))
    return _Kept(stamp, now, whole, _with_lines(whole, torn) if torn else whole)


def _whole_lines(file: Iterable[bytes], torn: list[bytes]) -> Iterator[bytes]:
    """The lines of the rest of a file; one that has no end yet goes into `torn`, and what follows meanwhile waits."""
    for line in file:
        if not line.endswith(b"\n"):
            torn.append(line)
            return
        yield line


def _begins_with(file: IO[bytes], known: Reading) -> bool:
    """Whether a file still begins with what was read of it."""
    digest, left = hashlib.sha256(), known.n_bytes
    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
        digest.update(chunk)
        left -= len(chunk)
    return not left and bool(digest.digest() == known.digest.digest())


def _with_lines(known: Reading, lines: Iterable[bytes]) -> Reading:
    """What was read, and these lines after it."""
    latest, digest = dict(known.latest), known.digest.copy()
    n_lines, n_unreadable, first, n_bytes = known.n_lines, known.n_unreadable, known.first_unreadable, known.n_bytes
    for line in lines:
        n_lines, n_bytes = n_lines + 1, n_bytes + len(line)
        digest.update(line)
        try:
            if line.strip():
                _add(latest, Row.from_json(line.decode()))
        except ValueError:
            n_unreadable, first = n_unreadable + 1, first or n_lines
    return Reading(latest, n_lines, n_unreadable, first, n_bytes, digest)


def _add(latest: dict[Any, Row], row: Row) -> None:
    """A failure stands beside an earlier result of the same run, and goes when a later one succeeds."""
    if row.status == "ok":
        latest.pop(row.spec, None)
    latest[row.run_id if row.status == "ok" else row.spec] = row


def _keep(key: Path, kept: _Kept) -> None:
    """Keeps what was read, and drops the files that were asked for longest ago where all take too much room."""
    _KEPT.pop(key, None)
    _KEPT[key] = kept
    sizes = [(other, found.whole.n_bytes) for other, found in list(_KEPT.items())]
    excess = sum(size for _, size in sizes) - MOST_BYTES
    for other, size in sizes[:-1]:
        if excess > 0:
            _KEPT.pop(other, None)
            excess -= size


@cache
def _warn_unreadable(path: Path, count: int, first: int) -> None:
    """Warns once a process: a suite looks at its file before every run."""
    one, many = f"line {first}, which is unreadable", f"{count} unreadable lines, the first is line {first}"
    _log.warning("%s: skipped %s", path, one if count == 1 else many)
