"""The name of a data set's folder or file: that of the folder above if its own says nothing, such as "images"."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

_GENERIC = frozenset(
    (
        *("images", "image", "imgs", "img", "jpegimages", "jpg", "pictures", "data", "dataset", "all"),
        *("train", "training", "val", "valid", "validation", "test", "testing"),
    )
)
_MOST_ABOVE = 2  # folders
_SHARDS = re.compile(r"\{\d+\.\.\d+\}")  # of several files, as in train-{000..012}.tar
_NUMBERED = re.compile(r"([-_.]?\d+)?([-_]of[-_]\d+)?$")  # "-00000-of-00001"


def telling_name(path: str | PurePath) -> str:
    """The last part of a path that is not generic, among the last three: "dtd" of dtd/images and of dtd/images/train.

    The last part itself if the others are generic too, or if they end at the user's home or at the root of the disk.
    """
    folder = PurePath(path)
    for above in (folder, *list(folder.parents)[:_MOST_ABOVE]):
        if str(above) == os.path.expanduser("~") or not above.name:
            break
        if above.name.casefold() not in _GENERIC:
            return above.name
    return folder.name


def telling_file_name(path: str | PurePath) -> str:
    """The name of the data set in a file, or in several with braces: its stem, or the name of a folder above if the
    stem only counts files or names a partition ("train-00000-of-00001.parquet", "test/{0..3}.tar"). Of a folder as
    `telling_name`."""
    path = PurePath(path)
    if not path.suffix[1:].isalpha():
        return telling_name(path)
    stem = _SHARDS.sub("", path.stem).strip("-_.")
    word = _NUMBERED.sub("", stem).strip("-_.").casefold()
    above = telling_name(path.parent) if not word or word in _GENERIC else stem
    return stem or path.stem if above.endswith(":") else above or stem or path.stem
