"""Texts without the places of files on this machine: rows travel, and a home folder names its owner."""

from __future__ import annotations

import re
from pathlib import Path

_ABSOLUTE = re.compile(r"(?<![\w:/.~…])/(?:[^\s/'\",;:()\[\]]+/)+")  # the folders of a path, not those of an address


def without_places(text: str) -> str:
    """The text with paths inside the working folder made relative, "~" for the home folder, and "…/" for the folders of
    other absolute paths."""
    for folder, short in ((Path.cwd(), ""), (Path.home(), "~/")):
        if folder != Path(folder.anchor):
            text = re.sub(rf"(?<![\w/.-]){re.escape(str(folder))}(/|(?![\w/.-]))", short or r"./", text)
    return _ABSOLUTE.sub("…/", re.sub(r"(?<![\w/.])\./(?=[\w.])", "", text))
