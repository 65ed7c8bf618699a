"""A finding of `fewshot doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the answer; `state` is ok, absent (something optional) or wrong."""

    topic: str
    found: str
    state: str = "ok"
    mend: str = ""  # the command to type, or what to do


def size(n_bytes: float) -> str:
    """The size as text, such as "1.5 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
