"""Texts of rows without places of this machine: no home folder, no user name, no host name, no absolute path."""

from __future__ import annotations

import contextlib
import getpass
import platform
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fewshot.results.row import Row

# The start of a path from the root, a home folder, a drive, another machine or the folder above.
_START = r"""(?:~[\\/]|/(?=[^\s/'"])|[A-Za-z]:[\\/]|\\\\|\.\.[\\/])"""
_PATH = re.compile(rf"""(?<![\w.:/\\~-]){_START}[^'"(),;\s]*""")
_QUOTED = re.compile(rf"""'({_START}[^']*)'|"({_START}[^"]*)\"""")  # may hold spaces and commas
_SHORTEST = 3  # letters of a user or host name that are looked for; "pi" is in too many words
_GENERAL = {"root", "user", "users", "home", "localhost", "local", "admin", "runner", "ubuntu", "debian", "docker"}
_NEVER = ("error",)  # a shared row has none


def clean_row(row: Row) -> Row:
    """The row with every text cleaned; its run id and digests stay."""
    changes: dict[str, Any] = {
        column.name: cleaned(value)
        for column in fields(row)
        if isinstance(value := getattr(row, column.name), str) and column.name not in _NEVER
    }
    measures = {name: cleaned(value) if isinstance(value, str) else value for name, value in row.measures.items()}
    return replace(row, **changes, measures=measures)


def cleaned(text: str) -> str:
    """The text with the last name of every absolute path alone: '/home/ann/birds' becomes 'birds'."""
    whole = _QUOTED.sub(lambda match: repr(last_name(match[1] or match[2])), text)
    return _PATH.sub(lambda match: last_name(match[0]), whole)


def last_name(path: str) -> str:
    """The last name of a path of any system; "folder" if there is none."""
    parts = [part for part in re.split(r"[\\/]+", path) if part not in ("", ".", "..", "~") and not part.endswith(":")]
    return parts[-1] if parts else "folder"


def private_words() -> list[str]:
    """The user name, the host name and the home folder of this machine, where they are words of their own."""
    words = {str(Path.home()), platform.node(), platform.node().partition(".")[0]}
    with contextlib.suppress(OSError, KeyError, ImportError):
        words.add(getpass.getuser())
    return sorted(word for word in words if len(word) >= _SHORTEST and word.lower() not in _GENERAL and word != "/root")


def private_word_in(text: str, words: Iterable[str]) -> str:
    """The first of these words that a text holds as a word of its own; "" for none."""
    for word in words:
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text):
            return word
    return ""
