"""A process that compiles loops while a run embeds images: compilation takes half a minute, once per machine."""

from __future__ import annotations

import atexit
import logging
import subprocess
import sys
from collections.abc import Iterable

from fewshot.plugins.spec import Spec
from fewshot.solvers import loop_cache

WITH_LOOPS = ("LinearProbe()", "Prototype()", "Prototype(metric='cosine')", "NearestNeighbour()", "RidgeProbe()")
_OTHERS = WITH_LOOPS[-1]  # has the loops that all other evaluators share
_SOON = 2.0  # seconds; shorter waits need no notice
_log = logging.getLogger("fewshot")
_running: list[subprocess.Popen[bytes]] = []


def compile_in_background(evaluators: Iterable[Spec]) -> None:
    """Starts a process that compiles the loops of these evaluators, unless they are there. It ends with this one."""
    wanted = dict.fromkeys(text for evaluator in evaluators for text in _loops_of(evaluator))
    missing = [text for text in wanted if not loop_cache.is_marked(text)] if loop_cache.can_keep() else []
    if not missing or _running:
        return
    command = [sys.executable, "-P", "-m", "fewshot.runs.compiling", *missing]  # -P: without the working folder
    quiet = subprocess.DEVNULL
    _running.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))
    atexit.register(_stop)


def wait_for_loops() -> None:
    """Waits for that process, with a notice if it takes more than a moment. The run compiles what is missing then."""
    if not _running:
        return
    from fewshot.solvers.compiled.notice import NOTICE

    (process,) = _running
    try:
        process.wait(_SOON)
    except subprocess.TimeoutExpired:
        _log.info(NOTICE)
        process.wait()
    _running.clear()


def _loops_of(evaluator: Spec) -> list[str]:
    own = [text for text in WITH_LOOPS if text.startswith(f"{evaluator.name}(")]
    return own or [_OTHERS]


def _stop() -> None:
    for process in _running:
        process.kill()
        process.wait()
