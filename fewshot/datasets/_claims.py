"""Which source of images a file or folder is of, by what the members of the folder declare.

Names decide first, without importing a member; only a member whose names fit may look at the content.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterator

from fewshot.plugins.registry import DATASETS
from fewshot.plugins.signature import Signature
from fewshot.plugins.spec import Spec


def claim(place: str) -> Spec | None:
    """The spec of the source that claims a place; None if there is none. Two claims are a ValueError."""
    specs = [DATASETS.spec(f"{name}({field}={place!r})") for name, field in _claimants(place)]
    if len(specs) > 1:
        several = " or as ".join(spec.text for spec in specs)
        raise ValueError(f"{place} can be read as {several}; give one of these specs instead of the place")
    return specs[0] if specs else None


def _claimants(place: str) -> Iterator[tuple[str, str]]:
    """The members whose names fit a place and whose `reads` agrees, each with the field for the place."""
    names = _names(place)
    for member in DATASETS.names():
        signature = _signature(member)
        if signature is None:
            continue
        fits = _is_named(place, signature) if names is None else _holds(place, names, signature)
        if fits and (field := DATASETS.get(member).reads(place)):
            yield member, field


def _names(folder: str) -> list[str] | None:
    """The names in a folder, none if it cannot be read; None for other places."""
    try:
        return os.listdir(folder)
    except NotADirectoryError:
        return None
    except (OSError, ValueError):  # a ValueError: a zero byte in the name
        return [] if os.path.isdir(folder) else None


def _signature(name: str) -> Signature | None:
    """The signature of a member; None for a broken plug-in: using it raises the error."""
    try:
        return DATASETS.signature(name)
    except ValueError:
        return None


def _holds(folder: str, names: Collection[str], signature: Signature) -> bool:
    wanted = signature.declared.get("folder_files", ())
    return any(all(_has(folder, names, name) for name in some) for some in wanted)


def _has(folder: str, names: Collection[str], wanted: str) -> bool:
    inside, _, file = wanted.rpartition("/")
    if inside:
        return inside in names and _has(os.path.join(folder, inside), _names(os.path.join(folder, inside)) or (), file)
    return bool(fnmatch.filter(names, file)) if "*" in file else file in names


def _is_named(file: str, signature: Signature) -> bool:
    name = os.path.basename(file)
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in signature.declared.get("file_names", ()))
