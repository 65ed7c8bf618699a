"""Texts of rows without places of this machine: no home folder, no user name, no host name, no path.

A spec says which of its fields are places, so these keep their last name alone, absolute or relative. In other texts
only a path that starts at a root, a home folder, a drive or the folder above is known as one.
"""

from __future__ import annotations

import contextlib
import getpass
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fewshot.plugins.call import is_call
from fewshot.plugins.registry import BACKBONES, EVALUATORS, RECIPES, Registry
from fewshot.plugins.signature import Parameter, is_path
from fewshot.plugins.spec import Spec
from fewshot.results.row import Row
from fewshot.sharing.members import KINDS

# The columns that hold specs, with the registry that reads each.
_SPECS: Mapping[str, Registry] = {**KINDS, "network": BACKBONES, "chosen": EVALUATORS, "recipe": RECIPES}
_NO_SCHEME = r"(?![\w+.-]{2,}:)"
# The start of a path from the root, a home folder, a drive, another machine or the folder above, and of a file's URL.
_START = r"""(?:file:/+|~(?:[A-Za-z_][\w.-]*)?[\\/]|/(?=[^\s/'"])|[A-Za-z]:[\\/]|\\\\|\.\.[\\/])"""
_PATH = re.compile(rf"""(?<![\w.:/\\~-]){_START}[^'"(),;\s]*""")
_QUOTED = re.compile(rf"""'({_START}[^']*)'|"({_START}[^"]*)\"""")  # may hold spaces and commas
# What a field that is no path says of a place: a file in a folder; in own code, any word with a separator. Addresses of
# a hub or of the web are none.
_FILE = re.compile(
    rf"{_NO_SCHEME}.*[\\/].*\.(?:tar|tgz|gz|zip|np[yz]|csv|json|parquet|safetensors|pth?|bin|ckpt|txt)", re.S
)
_PLACE = re.compile(rf"{_NO_SCHEME}[^\s(){{}}]*[\\/][^(){{}}]*")
_SHORTEST = 3  # letters of a user or host name that are looked for; "pi" is in too many words
_GENERAL = {"root", "user", "users", "home", "localhost", "local", "admin", "runner", "ubuntu", "debian", "docker"}
_NEVER = ("error",)  # a shared row has none


def clean_row(row: Row) -> Row:
    """The row with every text cleaned; its run id and digests stay."""
    changes: dict[str, Any] = {
        column.name: _column(column.name, value)
        for column in fields(row)
        if isinstance(value := getattr(row, column.name), str) and column.name not in _NEVER
    }
    measures = {name: cleaned(value) if isinstance(value, str) else value for name, value in row.measures.items()}
    return replace(row, **changes, measures=measures)


def check_identity(row: Row, clean: Row) -> None:
    """Raises a ValueError if cleaning changed a text that the run id hashes: no path, whose content is hashed."""
    for column in KINDS:
        text = getattr(row, column)
        if getattr(clean, column) != text and not KINDS[column].read(text).paths:
            raise ValueError(
                f"its {column} names a place of this machine, which is part of its run id: {text:.200}; run it again "
                "in the folder of its files, with their names alone"
            )


def places_of(row: Row) -> list[Path]:
    """Every file and folder that the specs of a row name."""
    return [path for name, registry in _SPECS.items() for path in registry.read(getattr(row, name)).paths]


def _column(name: str, text: str) -> str:
    return cleaned(cleaned_spec(_SPECS[name], text) if name in _SPECS and text else text)


def cleaned_spec(registry: Registry, text: str) -> str:
    """The text of a spec in which every file and folder has its last name alone."""
    spec = registry.read(text)
    clean = _without_places(spec)
    if clean == spec.arguments:
        return text
    if spec.declares("from_file"):  # as a run writes it
        return f"{spec.name}({clean[0][1]!r})"
    return replace(spec, arguments=clean, as_written=None).text


def _without_places(spec: Spec) -> tuple[tuple[Parameter, Any], ...]:
    return tuple((parameter, _neutral(parameter, value)) for parameter, value in spec.arguments)


def _neutral(parameter: Parameter, value: Any) -> Any:
    """The value of a field without places. Nobody knows the fields of own code, so each of its paths counts."""
    if isinstance(value, Spec):
        clean = _without_places(value)
        return value if clean == value.arguments else replace(value, arguments=clean, as_written=None)
    if isinstance(value, tuple):
        return tuple(_neutral(parameter, item) if not isinstance(item, str) else item for item in value)
    if parameter.holds_path(value):
        name = last_name(str(value))
        return name if parameter.is_path or is_path(name) else f"./{name}"  # without a suffix it would be no path
    if isinstance(value, str) and parameter.annotation == "Dotted" and is_call(value):
        return cleaned_spec(BACKBONES, value)
    place = _FILE if parameter.annotation else _PLACE
    return last_name(value) if isinstance(value, str) and place.fullmatch(value) else value


def cleaned(text: str, places: Iterable[object] = ()) -> str:
    """The text with the last name of every path alone: '/home/ann/birds' becomes 'birds'. `places`: further paths,
    which may be relative."""
    for place in sorted({str(one) for one in places}, key=len, reverse=True):
        if re.search(r"[\\/]", place):
            text = re.sub(rf"(?<![\w.:/\\~-])(?:\./)*{re.escape(place)}(?![\w-])", last_name(place), text)
    whole = _QUOTED.sub(lambda match: repr(last_name(match[1] or match[2])), text)
    return _PATH.sub(lambda match: last_name(match[0]), whole)


def last_name(path: str) -> str:
    """The last name of a path of any system; "folder" if there is none."""
    parts = [part for part in re.split(r"[\\/]+", path) if part not in ("", ".", "..") and not part.endswith(":")]
    parts = parts[1:] if parts and re.fullmatch(r"~[^.]*", parts[0]) else parts  # a home folder
    return re.sub(r"^[A-Za-z]:", "", parts[-1]) if parts else "folder"


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
