"""The width of a terminal."""

from __future__ import annotations

import os
import shutil
import sys

_NARROWEST, _PIPE = 60, 100  # characters


def width() -> int:
    """The width of the terminal; 100 in a pipe. The variable COLUMNS sets it."""
    columns = shutil.get_terminal_size((_PIPE, 24)).columns if sys.stdout.isatty() else _columns()
    return max(_NARROWEST, columns)


def _columns() -> int:
    """COLUMNS, or the width of a pipe: get_terminal_size would look at the terminal behind it."""
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isascii() and given.isdigit() and int(given) else _PIPE
