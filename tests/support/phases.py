"""The phase of a running command, which another process reads after it has killed it, and kills at chosen writes.

`watch(path)` runs in the process that will die. It wraps what fewshot does at its borders, so that the file `path`
always names the innermost phase, such as "embedding" or "storing predictions".
"""

from __future__ import annotations

import functools
import json
import mmap
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WIDTH, _SIZE = 64, 4096
STARTING = "starting"
PHASES = (
    ("fewshot.runs.workbench", "Workbench.prepare", "reading data"),
    ("fewshot.pretraining.training", "Training.run", "pre-training"),
    ("fewshot.pretraining._saving", "Progress.save", "saving a training"),
    ("fewshot.pretraining.training", "keep", "saving a network"),
    ("fewshot.features.table", "_embed", "embedding"),
    ("fewshot.features.files", "FeatureFiles._create", "making a feature table"),
    ("fewshot.features.files", "FeatureWriter._sync", "saving features"),
    ("fewshot.runs.image_learner", "ImageLearner.answer", "fine-tuning"),
    ("fewshot.runs.computation", "Computation._solve_missing", "scoring"),
    ("fewshot.results.parts", "PredictionParts.write", "storing predictions"),
    ("fewshot.runs.computation", "row_of", "measuring"),
    ("fewshot.results.files", "Results.append", "appending a row"),
    ("fewshot.report", "write_report", "writing the report"),
)
WRITES = ("write", "pwrite", "fsync", "replace", "rename", "unlink", "mkdir", "truncate")


def watch(path: Path, kill_at: tuple[str, int] | None = None) -> None:
    """Keeps the phase of this process in a file; with a phase and a number, this process kills itself at that write to
    a disk in that phase, of which half the bytes are written."""
    path.write_bytes(b"\0" * _SIZE)
    with open(path, "r+b") as file:
        shown = mmap.mmap(file.fileno(), 0)
    _show(shown, STARTING)
    for module, name, phase in PHASES:
        owner, attribute = _owner(module, name)
        setattr(owner, attribute, _phased(getattr(owner, attribute), phase, shown))
    _count_writes(shown, kill_at)


def phase_of(path: Path) -> str:
    """The last phase of a process that watches itself, or that has not come so far yet."""
    return (path.read_bytes()[:_WIDTH].rstrip(b"\0").decode() if path.exists() else "") or STARTING


def writes_of(path: Path) -> dict[str, int]:
    """The number of writes to a disk of a process that watched itself, by phase."""
    counts: dict[str, int] = json.loads(path.read_bytes()[_WIDTH:].rstrip(b"\0") or b"{}")
    return counts


def _owner(module: str, name: str) -> tuple[Any, str]:
    *path, attribute = name.split(".")
    return functools.reduce(getattr, path, __import__(module, fromlist=["*"])), attribute


def _show(shown: mmap.mmap, phase: str) -> None:
    shown[:_WIDTH] = phase.encode().ljust(_WIDTH, b"\0")


def _phased(function: Callable[..., Any], phase: str, shown: mmap.mmap) -> Callable[..., Any]:
    @functools.wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        before = shown[:_WIDTH]
        _show(shown, phase)
        try:
            return function(*args, **kwargs)
        finally:
            shown[:_WIDTH] = before

    return within


def _count_writes(shown: mmap.mmap, kill_at: tuple[str, int] | None) -> None:
    """Counts the calls that change a disk, and dies at one of them."""
    counts: Counter[str] = Counter()

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            phase = shown[:_WIDTH].rstrip(b"\0").decode()
            counts[phase] += 1
            shown[_WIDTH:] = json.dumps(counts).encode().ljust(_SIZE - _WIDTH, b"\0")
            if (phase, counts[phase]) == kill_at:
                _torn(function, args)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for name in WRITES:
        setattr(os, name, counted(getattr(os, name)))


def _torn(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Writes the first half of what was to be written."""
    if function.__name__ in ("write", "pwrite"):
        file, content, *place = args
        function(file, memoryview(content).cast("B")[: len(content) // 2], *place)
