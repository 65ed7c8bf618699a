"""Rows and their files: one flat JSON line a run, predictions beside it.

`<name>.jsonl` holds the rows; the folder `<name>.rows/` holds those that processes of `fewshot work` wrote
(own_files.py). The folder `<name>.predictions/<run_id>/` holds the predictions in parts; each part is a range of
episodes. Predictions are written before their row. Lines are appended whole, under a lock; unreadable lines are
counted, and their neighbours stay readable.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fewshot.files.atomic import make_folder
from fewshot.files.locks import locked, locked_range
from fewshot.files.regular import check_regular
from fewshot.results import own_files
from fewshot.results.bound import bound, difference
from fewshot.results.parts import PredictionParts
from fewshot.results.predictions import Predictions
from fewshot.results.reading import Disagreement, Unreadable
from fewshot.results.row import Row, check_run_id
from fewshot.results.short_names import ShortNames

_log = logging.getLogger("fewshot")

_PATIENCE = 5.0  # seconds: another process appends one line


@dataclass(frozen=True)
class Results:
    """A results file, of a suite or of single runs. With `own`, this process appends to the file of that name in the
    folder `<name>.rows/`, as its only writer, so that only failures need a lock."""

    path: Path
    own: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))  # users write text

    @staticmethod
    def at(place: Results | str | Path) -> Results:
        """The results file at a path; results come back unchanged, and anything else is a ValueError."""
        if isinstance(place, Results):
            return place
        if isinstance(place, str | Path):
            return Results(Path(place).expanduser())
        raise ValueError(f"results are a path, such as 'runs.jsonl', or Results(path); got {place!r:.80}")

    def append(self, row: Row) -> None:
        """Adds a row as one whole line; after a torn line, it starts a new line first. Adds no failure that the rows
        show already: a worker that is lost after it has written one leaves its task to another."""
        failed = row.status != "ok"
        with nullcontext() if self.own and not failed else self._held():
            if failed and own_files.show(own_files.readings(self.path), row):
                return
            file = own_files.folder_of(self.path) / f"{self.own}.jsonl" if self.own else self.path
            make_folder(file.parent)
            _append(file, [row.to_json().encode() + b"\n"])

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Holds the file: no other process appends to it meanwhile."""
        lock = check_regular(self.path, "results file").with_name(f"{self.path.name}.lock")
        with locked(lock, f"appends to {self.path}", _PATIENCE):
            yield

    def gather(self, order: Sequence[str] = ()) -> None:
        """Moves the rows in the files of other processes, which must have ended, into the results file: first those of
        the run ids in `order`, in that order. A kill at any time loses no row, and several processes may do it."""
        if own_files.files_of(self.path):
            with self._held():
                files = own_files.files_of(self.path)  # those that no other process has moved meanwhile
                _append(self.path, own_files.sorted_lines(files, order))
                for file in files:
                    file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not there, or a new process has written a row
            own_files.folder_of(self.path).rmdir()

    @property
    def paths(self) -> Sequence[Path]:
        """The results file."""
        return (self.path,)

    @property
    def places(self) -> list[Path]:
        """The files and folders that hold rows: the results file, and the folder of other processes' rows if it holds
        any."""
        return [self.path, *([own_files.folder_of(self.path)] if own_files.files_of(self.path) else [])]

    def lines(self) -> Iterator[bytes]:
        """The lines of the file, and of those of other processes, as they are stored, each with its end."""
        return own_files.lines(self.path)

    def rows(self) -> list[Row]:
        """The last row of every run, in order of first appearance. A failed row stays beside an earlier result of its
        run, and disappears if a later attempt succeeds. Unreadable lines are skipped with a warning."""
        return own_files.merged(own_files.readings(self.path))

    def row(self, run_id: str) -> Row | None:
        """The last row of a run that succeeded, or None."""
        return own_files.latest(own_files.readings(self.path), run_id)

    @property
    def n_unreadable(self) -> int:
        """The number of lines that are not rows."""
        return sum(reading.n_unreadable for reading in own_files.readings(self.path))

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The first lines that are not rows, with the reasons."""
        return tuple(line for reading in own_files.readings(self.path) for line in reading.unreadable)

    @property
    def disagreements(self) -> Sequence[Disagreement]:
        """Runs with two accuracies for the same episodes."""
        return tuple(own_files.disagreements(own_files.readings(self.path)))

    @property
    def changed_ns(self) -> int:
        """When a file of rows changed last, in nanoseconds; 0 if there is none."""
        files = [self.path, *own_files.files_of(self.path)]
        return max((file.stat().st_mtime_ns for file in files if file.exists()), default=0)

    @property
    def trials(self) -> Results:
        """The results of trials, which choose hyperparameters."""
        return Results(self.path.with_suffix(".trials") / "rows.jsonl", own=self.own)

    @property
    def names_path(self) -> Path:
        """The file with the short names that a user gave."""
        return self.path.with_suffix(".names.json")

    @property
    def short_names(self) -> ShortNames:
        """The short names that a user gave to backbones and methods."""
        return ShortNames.read(self.names_path)

    @property
    def predictions_folder(self) -> Path:
        """The folder with the predictions of all runs."""
        return self.path.with_suffix(".predictions")

    @contextmanager
    def locked(self, run_id: str) -> Iterator[None]:
        """Holds the row of a run: no other process appends it meanwhile."""
        with locked(self.parts(run_id).folder / ".row.lock", self._work(run_id), _PATIENCE):
            yield

    @contextmanager
    def locked_episodes(self, run_id: str, start: int, stop: int, wait: bool = True) -> Iterator[None]:
        """Holds the episodes start to stop - 1 of a run: no other process computes one of them meanwhile. Without
        `wait`, this raises Busy if another process does."""
        with locked_range(self.parts(run_id).folder, start, stop, self._work(run_id), wait):
            yield

    def _work(self, run_id: str) -> str:
        return f"computes run {run_id} for {self.path}"

    def parts(self, run_id: str) -> PredictionParts:
        """The stored predictions of a run."""
        check_run_id(run_id)
        return PredictionParts(self.predictions_folder / run_id)

    def predictions(self, row: Row) -> Iterator[Predictions]:
        """The predictions of a row, part by part. A ValueError if they are missing, damaged or of another run, and
        after the last part if they do not give the accuracy and the episodes of the row."""
        return bound(row, self.parts(row.run_id))

    def fault(self, row: Row) -> str:
        """What is wrong with the stored predictions of a row, in words; "" if nothing is, and for a row without any:
        rows may be kept alone."""
        parts = self.parts(row.run_id)
        try:
            for _ in bound(row, parts) if parts.files() else ():
                pass
        except ValueError as error:
            return str(error).partition(";")[0]
        return ""

    def drop_changed(self, row: Row) -> None:
        """Removes the predictions of a row that do not give its numbers, with a warning: its episodes run again."""
        parts = self.parts(row.run_id)
        if problem := difference(row, parts):
            _log.warning("%s: all episodes run again", problem.partition(";")[0])
            parts.remove()


def _append(path: Path, lines: Iterable[bytes]) -> None:
    """Adds whole lines and syncs them; none of them if the disk does not take all."""
    try:
        with open(path, "ab+", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            left = memoryview(b"".join([b"\n" if end and _last_byte(file) != b"\n" else b"", *lines]))
            try:
                while left:
                    left = left[os.write(file.fileno(), left) :]  # a full disk takes a part, then refuses the rest
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise
    except OSError as error:
        raise OSError(
            f"cannot append to {path}: {error.strerror or error}; free space or set another "
            "file; the predictions are kept"
        ) from error


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    file.seek(0, os.SEEK_END)
    return last
