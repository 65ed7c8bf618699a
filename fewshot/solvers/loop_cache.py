"""Where numba keeps the compiled loops, and which of them are there. This file imports neither torch nor numba."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
from importlib.metadata import version
from pathlib import Path

_LOOPS = Path(__file__).parent / "compiled"


@functools.cache
def installed() -> bool:
    """Whether numba is installed; does not import it."""
    return importlib.util.find_spec("numba") is not None


@functools.cache
def kept_at() -> Path:
    """A cache folder named by a hash of all loops' sources: numba itself checks only the file of the function that it
    loads, not the functions that this one calls."""
    sha = hashlib.sha256()
    for path in sorted(_LOOPS.glob("*.py")):
        sha.update(path.read_bytes())
    return _LOOPS / "__pycache__" / f"loops-{sha.hexdigest()[:16]}"


def can_keep() -> bool:
    """Whether numba is installed and may write into that folder."""
    if not installed() or os.environ.get("NUMBA_DISABLE_JIT"):
        return False
    there = next(folder for folder in (kept_at(), *kept_at().parents) if folder.exists())
    return os.access(there, os.W_OK)


def is_marked(name: str) -> bool:
    """Whether the loops of this name were compiled here, by this numba for this kind of processor."""
    return _mark(name).exists()


def mark(name: str) -> None:
    """Notes that they are."""
    if can_keep():
        _mark(name).parent.mkdir(parents=True, exist_ok=True)
        _mark(name).touch()


def _mark(name: str) -> Path:
    folder = os.environ.get("NUMBA_CACHE_DIR", "")
    made_by = f"{name} {version('numba')} {platform.python_version()} {platform.machine()} {_processor()} {folder}"
    return kept_at() / f"compiled-{hashlib.sha256(made_by.encode()).hexdigest()[:16]}"


def _processor() -> str:
    """The features of the processor, from the system, because loops are compiled for them; "" where it names none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
