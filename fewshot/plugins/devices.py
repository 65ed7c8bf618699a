"""The names of the devices that networks run on, checked without importing torch."""

from __future__ import annotations

import re

KINDS = ("cpu", "cuda", "mps", "xpu", "hpu", "mtia", "xla")
_NAME = re.compile(rf"({'|'.join(KINDS)})(:\d{{1,3}})?", re.ASCII)


def check_device(name: str) -> str:
    """The name, if it is one that torch knows, such as "cpu" or "cuda:1"; a ValueError for others."""
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        known = f"{', '.join(KINDS)}, or one of several, such as cuda:1"
        raise ValueError(f"there is no device {name!r:.80}; known: {known}")
    return name
