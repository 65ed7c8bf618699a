"""Numbers and lists in sentences: "1 run", "1,200 runs", "a, b and c"."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 run", "1,200 runs"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """Parts as "a, b and c"; "" for none."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
