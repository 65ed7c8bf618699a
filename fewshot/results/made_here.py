"""Runs that a user of this machine asked for. A row alone cannot claim to be one of them.

The list is a file under $FEWSHOT_HOME, with one digest per run, its data set and its images. A report loads a data set
that a row names only if the row is on the list: rows from another machine decide nothing about what this one reads.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from fewshot.files.atomic import home, make_folder
from fewshot.files.regular import check_regular, read_text
from fewshot.results.row import Row

_WIDTH = 32  # hex digits of a line


def remember_run(run_id: str, dataset: str, images_digest: str) -> None:
    """Adds a run of this data set on these images to the list; if the list is not writable, only pictures are lost."""
    mark, known = _mark(run_id, dataset, images_digest), _known(_path())
    if mark in known:
        return
    known.add(mark)
    try:
        make_folder(check_regular(_path()).parent)
        file = os.open(_path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{mark}\n".encode())  # one short write: processes do not mix their lines
        finally:
            os.close(file)
    except (OSError, ValueError):
        return


def was_made_here(row: Row) -> bool:
    """Whether a user of this machine asked for the run of this row, with its data set and its images."""
    return _mark(row.run_id, row.dataset, row.images_digest) in _known(_path())


def _path() -> Path:
    return home() / "runs_made_here"


@cache
def _known(path: Path) -> set[str]:
    """The list as it was when this process first read it, with the runs of this process."""
    try:
        return {line for line in read_text(path).splitlines() if len(line) == _WIDTH}
    except (OSError, ValueError):
        return set()


def _mark(run_id: str, dataset: str, images_digest: str) -> str:
    return hashlib.sha256("\0".join((run_id, dataset, images_digest)).encode(errors="replace")).hexdigest()[:_WIDTH]
