"""The files of a submission: which names may be there, how large they may be, and that they are plain files."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from fewshot.files.regular import read_bytes
from fewshot.plugins.wording import counted
from fewshot.sharing.plain_texts import shown

ABOUT, RUNS, ROWS, README = "submission.json", "runs.json", "rows.jsonl", "README.md"
VERIFICATION = "verification.json"
_PREDICTIONS = "rows.predictions"
_RUN_ID = re.compile(r"[0-9a-f]{16}")
_PART = re.compile(rf"{re.escape(_PREDICTIONS)}/({_RUN_ID.pattern})/\d{{9}}-\d{{9}}\.safetensors", re.ASCII)
_TEXTS = (ABOUT, RUNS, ROWS, README, VERIFICATION)
_MOST_TEXT_BYTES = 64 << 20
_MOST_PART_BYTES = 1 << 30
_MOST_BYTES = 64 << 30
_MOST_FILES = 200_000
_MOST_NAMED = 5  # submissions in a sentence


def is_run_id(text: str) -> bool:
    """Whether a text is a run id as fewshot makes them: 16 hex digits."""
    return _RUN_ID.fullmatch(text) is not None


def run_of(name: str) -> str:
    """The run whose predictions a file holds, by its name in the submission; "" for other files."""
    match = _PART.fullmatch(name)
    return match[1] if match else ""


def is_name(name: str) -> bool:
    """Whether a submission may hold a file of this name: no other folder, no "..", nothing hidden."""
    return name in _TEXTS or _PART.fullmatch(name) is not None


def files_of(folder: Path) -> Mapping[str, int]:
    """The size of every file of a submission, by its name. A ValueError, before anything is opened, for a link, a
    special file, an unknown name, and a file that is too large."""
    sizes: dict[str, int] = {}
    for name, state in _entries(folder, PurePosixPath()):
        _check(name, state)
        sizes[name] = state.st_size
        if len(sizes) > _MOST_FILES or sum(sizes.values()) > _MOST_BYTES:
            raise ValueError(
                f"the submission has more than {_MOST_FILES:,} files or {_MOST_BYTES >> 30} GiB; split it into several"
            )
    return sizes


def empty_folders(folder: Path, names: Iterable[str]) -> list[str]:
    """A sentence if a submission has empty folders, except those of listed files that are missing; `names`: of all
    listed files."""
    above, expected = folder / _PREDICTIONS, {run_of(name) for name in names}
    if not above.is_dir():
        return []
    with os.scandir(above) as entries:
        empty = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False) and not os.listdir(e.path))
    if not (odd := [name for name in empty if name not in expected]):
        return []
    return [
        f"{_PREDICTIONS} has {counted(len(odd), 'empty folder')} without a run, such as {_shown(odd[0])}; remove all"
    ]


def check_is_submission(folder: Path) -> None:
    """Raises a ValueError for what no `fewshot submit` wrote: nothing, a file, and a folder without a manifest."""
    if not os.path.lexists(folder):
        raise ValueError(f"there is no folder {folder}; give one that `fewshot submit` wrote")
    if not folder.is_dir():
        write = f"write one with `fewshot submit {folder} --out FOLDER`" if folder.suffix == ".jsonl" else "give that"
        raise ValueError(f"it is a file, and a submission is a folder; {write}")
    if inside := _submissions_in(folder):
        raise ValueError(f"it holds submissions and is none itself; give one of: {inside}")
    if not os.path.lexists(folder / ABOUT):
        raise ValueError(f"it is no submission and has no file {ABOUT}; give a folder that `fewshot submit` wrote")


def _submissions_in(folder: Path) -> str:
    """The folders of submissions right below a folder that is none, the first few; "" if there are none."""
    if os.path.lexists(folder / ABOUT):
        return ""
    there = sorted(path.parent for path in folder.glob(f"*/{ABOUT}") if str(path).isprintable())
    return ", ".join([*map(str, there[:_MOST_NAMED]), *["..."] * (len(there) > _MOST_NAMED)])


def _entries(folder: Path, inside: PurePosixPath) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below a folder with its state; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name, state = inside / entry.name, entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(state.st_mode):
                if len(name.parts) > 2 or name.parts[0] != _PREDICTIONS:
                    raise ValueError(f"{_shown(name)} is a folder that no submission has; remove it")
                yield from _entries(Path(entry.path), name)
            else:
                yield str(name), state


def _check(name: str, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        kind = "a link" if stat.S_ISLNK(state.st_mode) else "no regular file"
        raise ValueError(f"{_shown(name)} is {kind}; a submission holds plain files only")
    if not is_name(name):
        raise ValueError(f"{_shown(name)} is a file that no submission has; remove it")
    most = _MOST_TEXT_BYTES if name in _TEXTS else _MOST_PART_BYTES
    if state.st_size > most:
        raise ValueError(f"{name} has {state.st_size:,} bytes; at most {most:,} are read")


def content(folder: Path, name: str) -> bytes:
    """The bytes of a text file of a submission; a ValueError for a link, and where `files_of` would refuse it."""
    path = folder / name
    try:
        state = os.lstat(path)
    except OSError as error:
        raise ValueError(f"the submission has no file {name}; `fewshot submit` writes it") from error
    _check(name, state)
    return read_bytes(path)


def sha256_of(path: Path) -> str:
    """sha256 hex of a file that `files_of` found, or that fewshot wrote."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(name: object) -> str:
    """A name as people may safely read it."""
    return repr(shown(str(name)[:120]))
