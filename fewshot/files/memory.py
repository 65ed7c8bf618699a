"""The memory that this process can still get, for a check before large work starts."""

from __future__ import annotations

import os
import re
from pathlib import Path

_SYSTEM = Path("/proc/meminfo")
_CONTAINERS = (  # the limit of a container, and what it uses
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def free_bytes(system: Path = _SYSTEM, containers: tuple[tuple[Path, Path], ...] = _CONTAINERS) -> int | None:
    """Bytes that are free on this machine and in its container; None where the system does not say (not Linux)."""
    line = re.search(r"^MemAvailable:\s+(\d+) kB", system_text(system), re.MULTILINE)
    known = [] if line is None else [int(line.group(1)) << 10]
    for limit, used in containers:
        texts = system_text(limit).strip(), system_text(used).strip()
        if all(text.isdecimal() for text in texts):
            known.append(max(0, int(texts[0]) - int(texts[1])))
    return min(known, default=None)


def in_units(size: int) -> str:
    """A number of bytes for people: "1.4 GB"."""
    for unit, bytes_of in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if size >= bytes_of:
            return f"{size / bytes_of:,.1f} {unit}"
    return f"{size / 1000:,.0f} kB"


def system_text(path: Path) -> str:
    """The text of a file of the system; "" if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, AttributeError):
        return ""
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 16)
