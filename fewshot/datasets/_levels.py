"""Places one level above, below or beside the folder of a data set, with the folder to give instead."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

from fewshot.datasets._claims import claim
from fewshot.datasets._decoding import is_picture
from fewshot.files.regular import first_bytes
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.spec import Spec

_HEADER_BYTES = 1000
_MOST_INSIDE = 50  # folders: more are classes


def check_list(file: Path) -> None:
    """Raises a ValueError for a list that a source reads by the folder around it."""
    if not file.is_file() or _is_manifest(file):
        return
    spec = claim(str(file.parent))
    if spec is not None and _is_list_of(spec, file.name):
        raise ValueError(
            f"{file} is one of the lists of a data set that fewshot reads by its folder; give --data {file.parent}"
        )


def check_folder(folder: Path) -> None:
    """Raises a ValueError for the folder above data sets with lists, and for the folder of images inside one."""
    inside = [entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    if not inside and any(is_picture(name.suffix) for name in folder.iterdir()):
        above = folder.resolve().parent
        if claim(str(above)) is not None:
            raise ValueError(
                f"{folder} holds images without folders of classes, and their lists lie above it; give --data {above}"
            )
    if len(inside) > _MOST_INSIDE:
        return
    claimed = sorted(name for name in inside if claim(str(folder / name)) is not None)
    if claimed:
        others = "" if len(claimed) == 1 else f" (there are {len(claimed)} such folders)"
        raise ValueError(
            f"{folder} is the folder above a data set that fewshot reads by its lists; give --data "
            f"{folder / claimed[0]}{others}"
        )


def _is_manifest(file: Path) -> bool:
    """Whether a CSV file has a column "path", as a manifest of somebody's own."""
    if file.suffix.lower() != ".csv":
        return False
    header = first_bytes(file, _HEADER_BYTES).partition(b"\n")[0]
    return b"path" in header.lower().replace(b" ", b"").strip().split(b",")


def _is_list_of(spec: Spec, name: str) -> bool:
    """Whether a file with this name is among those by which a source recognises its folder."""
    wanted = DATASETS.signature(spec.name).declared.get("folder_files", ())
    return any(fnmatch.fnmatch(name, pattern) for some in wanted for pattern in some)
