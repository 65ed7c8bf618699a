"""Rows and their files: one flat JSON line a run, predictions beside it.

`<name>.jsonl` holds the rows; the folder `<name>.predictions/<run_id>/` holds the predictions in parts, each a run
of episodes. Predictions are in place before the row that names them. Lines are appended whole, under a lock; a line
that cannot be read is counted, and its neighbours survive.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.files.locks import locked
from fewshot.results.parts import PredictionParts
from fewshot.results.reading import read
from fewshot.results.row import Row

_PATIENCE = 5.0  # seconds: another process appends one line


@dataclass(frozen=True)
class Results:
    """The results file of a suite, or of one user's runs."""

    path: Path

    def append(self, row: Row) -> None:
        """Adds a row as one whole line, under a lock; after a torn line it starts a new one."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            with locked(lock, f"appends to {self.path}", _PATIENCE), open(self.path, "ab+") as file:
                start = file.seek(0, os.SEEK_END)
                if start and _last_byte(file) != b"\n":
                    file.write(b"\n")
                file.write(row.to_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(
                f"cannot append to {self.path}: {error.strerror or error}; free space or set another "
                "file, the predictions are kept"
            ) from error

    def rows(self) -> list[Row]:
        """The last row of every run, in order of first appearance. A failure stands beside an earlier result of the
        same run, and goes when a later one succeeds. Unreadable lines are skipped, with a warning."""
        return list(read(self.path).latest.values())

    def row(self, run_id: str) -> Row | None:
        """The last row of a run that did not fail, or None."""
        return read(self.path).latest.get(run_id)

    @property
    def n_unreadable(self) -> int:
        """How many lines of the file are not rows."""
        return read(self.path).n_unreadable

    @property
    def trials(self) -> Results:
        """The results of settings that were only tried out, to choose hyperparameters."""
        return Results(self.path.with_suffix(".trials") / "rows.jsonl")

    @contextmanager
    def locked(self, run_id: str, episodes: tuple[int, int] | None = None) -> Iterator[None]:
        """Holds a run, or the episodes start to stop - 1 of it: no other process computes them meanwhile."""
        part, patience = (f"{episodes[0]:09d}-{episodes[1]:09d}", 0.0) if episodes else ("row", _PATIENCE)
        with locked(self.parts(run_id).folder / f".{part}.lock", f"computes run {run_id} for {self.path}", patience):
            yield

    def parts(self, run_id: str) -> PredictionParts:
        """The stored predictions of a run."""
        return PredictionParts(self.path.with_suffix(".predictions") / run_id)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    file.seek(0, os.SEEK_END)
    return last
