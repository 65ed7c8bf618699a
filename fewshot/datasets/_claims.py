"""Which source of images a file or folder is of, by what the members of the folder declare.

Names decide first, without importing a member; only a member whose names fit may look at the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

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
    path = Path(place)
    fits = _holds if path.is_dir() else _is_named
    for name in DATASETS.names():
        signature = _signature(name)
        if signature is not None and fits(path, signature) and (field := DATASETS.get(name).reads(place)):
            yield name, field


def _signature(name: str) -> Signature | None:
    """The signature of a member; None for a broken plug-in: using it raises the error."""
    try:
        return DATASETS.signature(name)
    except ValueError:
        return None


def _holds(folder: Path, signature: Signature) -> bool:
    return any(all(_has(folder, name) for name in names) for names in signature.declared.get("folder_files", ()))


def _has(folder: Path, name: str) -> bool:
    return any(folder.glob(name)) if "*" in name else (folder / name).exists()


def _is_named(file: Path, signature: Signature) -> bool:
    return any(fnmatchcase(file.name, pattern) for pattern in signature.declared.get("file_names", ()))
