"""Regular files: a check before reading that refuses pipes, sockets and devices, which can block or never end."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_URL = re.compile(r"[a-z][a-z\d+.-]+:/", re.IGNORECASE)  # also as a Path, which joins slashes; no drive of Windows
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_regular(path: Path, what: str = "file") -> Path:
    """The path, if it is a regular file or does not exist; anything else, and a NUL in the name, is a ValueError.

    `what` names the expected kind of file in the error: "manifest". Opening a file that does not exist says so.
    """
    check_name(path, what)
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return path
    kind = next((kind for test, kind in _KINDS if test(mode)), None)
    if kind is not None:
        raise ValueError(f"cannot read the {what} {path}: it is {kind}, not a regular file; give the path of a file")
    return path


def check_name(path: Path, what: str = "file") -> None:
    """Raises a ValueError if the path has a NUL character, which no name of a file may have."""
    if "\0" in str(path):
        raise ValueError(f"the name of the {what} {str(path)!r} has a NUL character; give a name without it")


def check_local(place: str | Path) -> None:
    """Raises a ValueError for a URL, such as s3://bucket/rows.jsonl, which would become a folder called "s3:" here."""
    if _URL.match(str(place)):
        raise ValueError(
            f"{place} is a URL, and only shards of images can have one; give a path, such as one of a mounted bucket"
        )


def read_bytes(path: Path, what: str = "file") -> bytes:
    """The content of a regular file; other kinds of files are a ValueError, and an OSError says why reading failed."""
    return check_regular(path, what).read_bytes()


def first_bytes(path: Path, number: int, what: str = "file") -> bytes:
    """The first bytes of a regular file, as `read_bytes`."""
    with open(check_regular(path, what), "rb") as file:
        return file.read(number)


def md5_of(path: Path, what: str = "file") -> str:
    """The md5 of a regular file, as hex digits: that which publishers of data name."""
    with open(check_regular(path, what), "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def read_text(path: Path, what: str = "file") -> str:
    """The UTF-8 text of a regular file; a ValueError for other kinds of files and for other texts."""
    return check_regular(path, what).read_text(encoding="utf-8-sig")


def parsed_json(text: str | bytes, **hooks: Any) -> Any:
    """The value of a JSON text; a ValueError for a text that is not JSON, and for values inside one another without
    end."""
    try:
        return json.loads(text, **hooks)
    except RecursionError as error:
        raise ValueError("its JSON values are nested too deeply") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        if "set_int_max_str_digits" in str(error):  # Python's own words for what it refuses
            raise ValueError("it holds an integer of thousands of digits") from error
        raise


def written_text(path: Path, what: str, instead: str) -> str:
    """The UTF-8 text of a file that a person or another program wrote. A ValueError names the line of other bytes and
    of a NUL character; `instead` says what to do if there is no file."""
    try:
        content = read_bytes(path, what)
    except FileNotFoundError as error:
        raise ValueError(f"there is no {what} {path}; {instead}") from error
    except OSError as error:
        raise ValueError(f"cannot read the {what} {path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        likely = f" (perhaps {_encoding(content)})"
        raise ValueError(f"{path}, line {line} is not UTF-8{likely}: {error.reason}; save the file as UTF-8") from error
    if "\0" in text:  # numpy drops it at the end of a text: two labels would become one
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}, line {line} contains a NUL character; remove it, or save the file as UTF-8")
    return text


def _encoding(content: bytes) -> str:
    """The likely encoding of a text that is not UTF-8: by its first bytes, or by bytes that Latin-1 leaves to control
    characters and Windows-1252 uses for quotes, dashes and the euro sign."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    return "Windows-1252" if any(0x80 <= byte < 0xA0 for byte in content) else "Latin-1"


def remembered(function: Callable[[Path], str | None], path: Path, files: Sequence[Path] = ()) -> str | None:
    """`function(path)`, computed again only if the file, or one of `files`, has changed since the last call in this
    process."""
    try:
        states = [os.stat(file) for file in files or (path,)]
    except (OSError, ValueError):
        return function(path)
    return _remembered(
        function, path, *(value for one in states for value in (one.st_size, one.st_mtime_ns, one.st_ctime_ns))
    )


@functools.lru_cache(maxsize=64)
def _remembered(function: Callable[[Path], str | None], path: Path, *state: int) -> str | None:
    return function(path)
