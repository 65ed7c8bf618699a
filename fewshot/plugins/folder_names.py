"""The name of a data set's folder: that of the folder above if its own says nothing, such as "images"."""

from __future__ import annotations

import os
from pathlib import PurePath

_GENERIC = frozenset(
    (
        *("images", "image", "imgs", "img", "jpegimages", "jpg", "pictures", "data", "dataset", "all"),
        *("train", "training", "val", "valid", "validation", "test", "testing"),
    )
)
_MOST_ABOVE = 2  # folders


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
