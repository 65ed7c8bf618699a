"""Runs that a user of this machine asked for, and where their data lies. A row alone cannot claim to be one of them.

Two lists under $FEWSHOT_HOME: `runs_made_here` has digests of each run with its images, and of the same with its data
set; `data_of_runs` has the data sets. fewshot loads the data set of a row only if the row is on the first list: rows
from another machine decide nothing about what this one reads. A row that was submitted names its data without their
place, so its data set comes from the second list.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from fewshot.files.atomic import home, make_folder
from fewshot.files.regular import check_regular, parsed_json, read_text
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.signature import Parameter
from fewshot.plugins.spec import Spec
from fewshot.results.row import Row

_WIDTH = 32  # hex digits of a line
_ANY_TEXT = "*"  # in place of the data set, whose text has no place in rows that were submitted


def remember_run(run_id: str, dataset: str, images_digest: str) -> None:
    """Adds a run of this data set on these images to the lists; if they are not writable, only pictures are lost."""
    for text in (dataset, _ANY_TEXT):
        _add(_path(), _mark(run_id, text, images_digest))
    with contextlib.suppress(OSError):  # the working folder may be gone
        _add(home() / "data_of_runs", json.dumps([images_digest, dataset, str(Path.cwd())]))


def was_made_here(row: Row) -> bool:
    """Whether a user of this machine asked for the run of this row, with its data set and its images."""
    return _mark(row.run_id, row.dataset, row.images_digest) in _known(_path())


def data_here(row: Row) -> list[Spec]:
    """The data sets of a run that a user of this machine asked for, also if the row names them without their place;
    none for other rows. Nothing is imported, and none may be there any more."""
    named = _spec(row.dataset, "") if was_made_here(row) else []
    if _mark(row.run_id, _ANY_TEXT, row.images_digest) not in _known(_path()):
        return named
    known = _known(home() / "data_of_runs")
    return [*named, *(spec for line in known for spec in _listed(line, row.images_digest))]


def _listed(line: str, images_digest: str) -> list[Spec]:
    """The data set in a line of the list, if it has these images."""
    try:
        digest, dataset, folder = parsed_json(line)
    except (ValueError, TypeError):
        return []
    return _spec(str(dataset), str(folder)) if digest == images_digest else []


def _spec(dataset: str, folder: str) -> list[Spec]:
    """The data set of a text that was written in this folder."""
    try:
        return [_inside(DATASETS.spec(dataset, allow_import=False), Path(folder))]
    except ValueError:
        return []


def _inside(spec: Spec, folder: Path) -> Spec:
    """The spec with relative paths below a folder, also in the data sets inside it."""
    arguments = tuple((parameter, _placed(parameter, value, folder)) for parameter, value in spec.arguments)
    return spec if arguments == spec.arguments else replace(spec, arguments=arguments, as_written=None)


def _placed(parameter: Parameter, value: Any, folder: Path) -> Any:
    if isinstance(value, Spec):
        return _inside(value, folder)
    if isinstance(value, tuple):
        return tuple(_placed(parameter, item, folder) if isinstance(item, Spec) else item for item in value)
    return str(folder / str(value)) if parameter.holds_path(value) else value


def _add(path: Path, line: str) -> None:
    """Adds a line to a list, once."""
    known = _known(path)
    if line in known:
        return
    known[line] = None
    with contextlib.suppress(OSError, ValueError):
        make_folder(check_regular(path).parent)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{line}\n".encode(errors="replace"))  # one short write: processes do not mix their lines
        finally:
            os.close(file)


def _path() -> Path:
    return home() / "runs_made_here"


@cache
def _known(path: Path) -> dict[str, None]:
    """A list as it was when this process first read it, with the lines of this process."""
    try:
        return dict.fromkeys(read_text(path).splitlines())
    except (OSError, ValueError):
        return {}


def _mark(run_id: str, dataset: str, images_digest: str) -> str:
    return hashlib.sha256("\0".join((run_id, dataset, images_digest)).encode(errors="replace")).hexdigest()[:_WIDTH]
