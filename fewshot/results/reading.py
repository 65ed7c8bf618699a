"""Rows of a results file. Each line is parsed once: rows stay in memory, and reading goes on where it ended.

A file is recognised by its inode, size and time of change. If one of them differs, fewshot compares the digest of the
part read so far, which takes a hundredth of the time of parsing; if it is the same, only the rest is parsed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

from fewshot.files.regular import check_regular
from fewshot.plugins.wording import agreeing, counted
from fewshot.results.row import Row, known_columns

MOST_BYTES = 128 << 20  # of files whose rows stay in memory, beside the file read last
_COARSE_NS = 100_000_000  # a file that changed this shortly before reading may change again in the same tick
_CHUNK_BYTES = 1 << 20
_MOST_UNREADABLE = 100  # lines of which the reason is kept
_RUN_ID = re.compile(rb'"run_id": ?"([0-9a-f]{16})(?![0-9a-f])')
SAME = 1e-9  # between two accuracies: machines may sum in another order
_log = logging.getLogger("fewshot")
_Stamp = tuple[int, int, int, int]  # device, inode, size, nanoseconds of the last change


@dataclass(frozen=True)
class Disagreement:
    """Two lines of one run, for the same episodes, with different accuracies. The last line counts."""

    run_id: str
    n_episodes: int
    lines: tuple[int, int]
    accuracies: tuple[float, float]

    @property
    def sentence(self) -> str:
        """What differs, and which line counts."""
        (first, last), (one, other) = self.lines, self.accuracies
        return (
            f"the run {self.run_id} has two accuracies for the same {counted(self.n_episodes, 'episode')}: {one:.6g} "
            f"in line {first}, {other:.6g} in line {last}; fewshot uses the last line"
        )


@dataclass(frozen=True)
class Unreadable:
    """A line that is not a row."""

    line: int  # from 1
    why: str
    run_id: str = ""  # that it names, as far as that can be read


@dataclass(frozen=True, eq=False)
class Reading:
    """The rows in the first `n_bytes` of a file, which end with a line."""

    latest: Mapping[Any, Row] = field(default_factory=dict)  # results by run id, failures by spec
    n_lines: int = 0
    n_unreadable: int = 0
    unreadable: tuple[Unreadable, ...] = ()  # the first of these lines, at most a hundred
    places: Mapping[str, int] = field(default_factory=dict)  # the line of each result in `latest`, by run id
    disagreements: Mapping[str, Disagreement] = field(default_factory=dict)  # by run id
    n_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)  # of these bytes


@dataclass(frozen=True)
class _Kept:
    stamp: _Stamp
    read_ns: int  # when reading began
    whole: Reading  # of whole lines
    shown: Reading  # with the last line, even if it has no end yet

    @property
    def settled(self) -> bool:
        """Whether every later change gives another stamp."""
        return self.stamp[3] < self.read_ns - _COARSE_NS


_KEPT: dict[Path, _Kept] = {}  # the file read last stands last


def read(path: Path) -> Reading:
    """The rows of a file now; none if there is no file. Unreadable lines are counted, with a warning."""
    key = path.absolute()
    stamp = _stamp(path)
    if stamp is None:
        _KEPT.pop(key, None)
        return Reading()
    kept = _KEPT.get(key)
    if kept is None or kept.stamp != stamp or not kept.settled:
        kept = _read(path, kept)
        if kept.shown.n_unreadable and kept.shown.latest:  # else the reader of a file without rows says what it is
            first = kept.shown.unreadable[0]
            _warn_unreadable(path, kept.shown.n_unreadable, first.line, first.why)
        if kept.shown.disagreements:
            _warn_disagreements(path, tuple(kept.shown.disagreements.values()))
    _keep(key, kept)
    return kept.shown


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    check_regular(path, "results file")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path, kept: _Kept | None) -> _Kept:
    known_columns()  # an unreadable measure is one error, not an error in every line
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
    """The remaining whole lines of a file. A line without an end goes into `torn`, and reading stops there."""
    for line in file:
        if not line.endswith(b"\n"):
            torn.append(line)
            return
        yield line


def _begins_with(file: IO[bytes], known: Reading) -> bool:
    """Whether a file still begins with the bytes read so far."""
    digest, left = hashlib.sha256(), known.n_bytes
    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
        digest.update(chunk)
        left -= len(chunk)
    return not left and bool(digest.digest() == known.digest.digest())


def _with_lines(known: Reading, lines: Iterable[bytes]) -> Reading:
    """The reading, with these further lines."""
    digest, n_lines, n_bytes, wrong = known.digest.copy(), known.n_lines, known.n_bytes, known.n_unreadable
    unreadable, rows = list(known.unreadable), _Rows.of(known)
    for line in lines:
        n_lines, n_bytes = n_lines + 1, n_bytes + len(line)
        digest.update(line)
        try:
            if line.strip():
                rows.add(Row.from_json(line.decode()), n_lines)
        except ValueError as error:
            wrong += 1
            if len(unreadable) < _MOST_UNREADABLE:
                unreadable.append(Unreadable(n_lines, _sentence(error), _run_id_in(line)))
    return Reading(rows.latest, n_lines, wrong, tuple(unreadable), rows.places, rows.disagreements, n_bytes, digest)


@dataclass(eq=False)
class _Rows:
    """The rows of a reading while lines are added."""

    latest: dict[Any, Row]
    places: dict[str, int]
    disagreements: dict[str, Disagreement]

    @staticmethod
    def of(known: Reading) -> _Rows:
        return _Rows(dict(known.latest), dict(known.places), dict(known.disagreements))

    def add(self, row: Row, line: int) -> None:
        """Adds a row. A failed row stays beside an earlier result of its run; a later success removes it."""
        if row.status != "ok":
            self.latest[row.spec] = row
            return
        self.latest.pop(row.spec, None)
        if (earlier := self.latest.get(row.run_id)) is not None:
            self._compare(earlier, row, line)
        self.latest[row.run_id], self.places[row.run_id] = row, line

    def _compare(self, earlier: Row, row: Row, line: int) -> None:
        if earlier.n_episodes != row.n_episodes or earlier.accuracy is None or row.accuracy is None:
            self.disagreements.pop(row.run_id, None)
        elif abs(earlier.accuracy - row.accuracy) > SAME:
            lines, accuracies = (self.places[row.run_id], line), (earlier.accuracy, row.accuracy)
            self.disagreements[row.run_id] = Disagreement(row.run_id, row.n_episodes, lines, accuracies)


def _run_id_in(line: bytes) -> str:
    """The run id that a line which is no row names; "" for none."""
    found = _RUN_ID.search(line)
    return found[1].decode() if found else ""


def _sentence(error: ValueError) -> str:
    """Why a line is not a row, in a few words."""
    known = not isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
    return str(error) if known else "not JSON"


def _keep(key: Path, kept: _Kept) -> None:
    """Keeps a reading; if all readings take too much memory, drops those of the files read longest ago."""
    _KEPT.pop(key, None)
    _KEPT[key] = kept
    sizes = [(other, found.whole.n_bytes) for other, found in list(_KEPT.items())]
    excess = sum(size for _, size in sizes) - MOST_BYTES
    for other, size in sizes[:-1]:
        if excess > 0:
            _KEPT.pop(other, None)
            excess -= size


@cache
def _warn_unreadable(path: Path, count: int, first: int, why: str) -> None:
    """Warns once per process, because a suite reads its file before every run."""
    one, many = f"line {first}, which is unreadable", f"{count} unreadable lines, the first is line {first}"
    _log.warning("%s: skipped %s (%s)", path, one if count == 1 else many, why)


@cache
def _warn_disagreements(path: Path, found: Sequence[Disagreement]) -> None:
    """Warns once per process about each file."""
    others = len(found) - 1
    more = f" ({others} more {agreeing(others, 'run has', 'runs have')} two accuracies)" if others else ""
    _log.warning("%s: %s%s", path, found[0].sentence, more)
