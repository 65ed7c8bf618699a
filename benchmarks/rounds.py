"""Alternating rounds of ours and a peer, with every measurement in its own process and the default environment.

The scripts that measure speed share this file. A measurement prints one JSON line. The ratio is the median of the
ratios of neighbouring rounds, its spread is (largest - smallest) / median; a spread above 30 % is marked as unstable.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

UNSTABLE = 0.3
DEFAULT = "default"
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # of threads


@dataclass(frozen=True)
class Measured:
    """The measurement of one process."""

    per_second: float  # episodes, or whatever the case counts
    answers: list[float] = field(default_factory=list)  # on the first items, to compare with the peer's
    peak_bytes: int = 0  # resident memory of the whole process


@dataclass(frozen=True)
class Case:
    """One line of the table. `ours` and `theirs` measure in the calling process; `theirs` may be None."""

    name: str
    shape: str
    ours: Callable[[], Measured]
    peer: str = ""
    theirs: Callable[[], Measured] | None = None
    compare: Callable[[Sequence[float], Sequence[float]], str] | None = None  # describes how equal the answers are
    module: str = "sklearn"  # the module of the peer
    install: str = "python -m pip install '.[benchmark]'"
    peer_threads: tuple[str, ...] = (DEFAULT, "1")
    rounds: int = 7  # at most; fewer if a round takes minutes

    @property
    def missing(self) -> str:
        """A sentence if the peer is not installed, else ""."""
        if self.theirs is None or importlib.util.find_spec(self.module) is not None:
            return ""
        return f"{self.name}: skipped {self.peer}, because {self.module} is not installed; run: {self.install}"


@dataclass(frozen=True)
class Line:
    """One comparison, as --json stores it."""

    name: str
    shape: str
    episodes_per_second: float
    peer: str
    peer_threads: str
    peer_episodes_per_second: float | None
    ratio: float | None
    spread: float | None
    peak_bytes: int
    peer_peak_bytes: int | None
    rounds: int
    unstable: bool
    same: str  # how equal the answers were in the worst round
    machine: str  # its processor and cores


def rate(step: Callable[[int], int], seconds: float = 1.0) -> float:
    """Items per second of step(0), step(1), ... over at least these seconds; the first step does not count."""
    step(0)
    done, index, start = 0, 1, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += step(index)
        index += 1
    return done / (time.perf_counter() - start)


def measure_here(case: Case, side: str) -> Measured:
    """One measurement in this process: of "ours", or of the peer with a number of threads ("default", "1"), to which
    `measure` limits the process. A library of the peer that runs more threads is a RuntimeError."""
    if side == "ours":
        measured = case.ours()
    else:
        assert case.theirs is not None
        measured = case.theirs()
        if side != DEFAULT:
            _check_threads(int(side))
    return Measured(measured.per_second, measured.answers, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _check_threads(most: int) -> None:
    import threadpoolctl

    more = {Path(pool["filepath"]).name for pool in threadpoolctl.threadpool_info() if pool["num_threads"] > most}
    if more:
        raise RuntimeError(f"the peer must run {most} thread(s), but these libraries run more: {', '.join(more)}")


def measure(script: str, case: Case, side: str) -> Measured:
    """One measurement in a new process. Its environment limits the threads, because a limit set in the process would
    miss the libraries that the peer loads later."""
    limit = {} if side in ("ours", DEFAULT) else dict.fromkeys(LIMITS, side)
    command = [sys.executable, script, "--case", case.name, "--side", side]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | limit)
    if done.returncode:
        raise RuntimeError(f"measuring {case.name}, {side}, failed: {done.stderr.strip().splitlines()[-1:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def lines(script: str, case: Case, n_rounds: int) -> list[Line]:
    """The lines of a case: one per number of threads of its peer, or one without a peer."""
    sides = ["ours", *(case.peer_threads if case.theirs is not None and not case.missing else ())]
    by_side: dict[str, list[Measured]] = {side: [] for side in sides}
    for number in range(min(n_rounds, case.rounds)):
        for side in sides:
            by_side[side].append(measure(script, case, side))
        rates = ", ".join(f"{side} {by_side[side][-1].per_second:.4g}" for side in sides)
        print(f"  {case.name}, round {number + 1}: {rates} per second", file=sys.stderr, flush=True)
    ours = by_side["ours"]
    return [_line(case, ours, side, by_side[side]) for side in sides[1:]] or [_line(case, ours, "", [])]


def _line(case: Case, ours: Sequence[Measured], side: str, theirs: Sequence[Measured]) -> Line:
    ratios = [a.per_second / b.per_second for a, b in zip(ours, theirs, strict=False)]
    ratio = statistics.median(ratios) if ratios else None
    spread = (max(ratios) - min(ratios)) / ratio if ratio else None
    compared = [case.compare(a.answers, b.answers) for a, b in zip(ours, theirs, strict=False) if case.compare]
    return Line(
        case.name,
        case.shape,
        statistics.median(m.per_second for m in ours),
        case.peer if theirs else "",
        side,
        statistics.median(m.per_second for m in theirs) if theirs else None,
        ratio,
        spread,
        max(m.peak_bytes for m in ours),
        max((m.peak_bytes for m in theirs), default=None),
        len(ours),
        spread is not None and spread > UNSTABLE,
        max(compared, default=""),
        machine(),
    )


def machine() -> str:
    """The name of the processor, from the system, and its number of cores."""
    try:
        model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        model = None
    name = model[1] if model else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def table(comparisons: Sequence[dict[str, Any]]) -> str:
    """The lines as a text table."""
    from tabulate import tabulate

    rows = [
        [
            line["name"],
            line["shape"],
            f"{line['episodes_per_second']:,.4g}",
            f"{line['peer']} ({line['peer_threads']})" if line["peer"] else "",
            "" if line["ratio"] is None else f"{line['peer_episodes_per_second']:,.4g}",
            "" if line["ratio"] is None else f"{line['ratio']:.1f}",
            "" if line["ratio"] is None else f"{line['spread']:.0%}" + (" unstable" if line["unstable"] else ""),
            f"{line['peak_bytes'] / 2**20:,.0f}",
            line["same"],
        ]
        for line in comparisons
    ]
    heads = ["", "shape", "per second", "peer (threads)", "per second", "ratio", "spread", "peak MiB", "same"]
    return tabulate(rows, heads, disable_numparse=True)


def append(path: Path, comparisons: Sequence[Line]) -> None:
    """Adds lines to a JSON list on disk, atomically; they replace lines of the same case."""
    from fewshot.files.atomic import write_atomically

    kept = [line for line in read(path) if line["name"] not in {new.name for new in comparisons}]
    write_atomically(path, (json.dumps(kept + [asdict(line) for line in comparisons], indent=1) + "\n").encode())


def read(path: Path) -> list[dict[str, Any]]:
    """The lines on disk; empty if there is no file."""
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []
