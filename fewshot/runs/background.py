"""Processes that compile loops while a run embeds images: compilation takes half a minute, once per machine.

One process compiles the loops of the first evaluator, a second one those of all others, and a run waits only for its
own: the first head solves while the loops of the next are compiled.
"""

from __future__ import annotations

import atexit
import logging
import subprocess
import sys
import time
from collections.abc import Iterable

from fewshot.plugins.registry import EVALUATORS
from fewshot.plugins.spec import Spec, specs_in
from fewshot.solvers import loop_cache

WITH_LOOPS = ("LinearProbe()", "Prototype()", "Prototype(metric='cosine')", "NearestNeighbour()", "RidgeProbe()")
_OTHERS = WITH_LOOPS[-1]  # has the loops that all other evaluators share
_SOON = 2.0  # seconds; shorter waits need no notice
_OFTEN = 0.1  # seconds between two looks
_log = logging.getLogger("fewshot")
_running: dict[str, subprocess.Popen[bytes]] = {}  # by the evaluator whose loops they compile


def compile_in_background(evaluators: Iterable[Spec]) -> None:
    """Starts processes that compile the loops of these evaluators, unless they are there. They end with this one."""
    wanted = dict.fromkeys(text for evaluator in evaluators for text in loops_of(evaluator))
    missing = [text for text in wanted if not loop_cache.is_marked(text)] if loop_cache.can_keep() else []
    if not missing or _running:
        return
    atexit.register(_stop)
    for names in filter(None, (missing[:1], missing[1:])):
        command = [sys.executable, "-P", "-m", "fewshot.runs.compiling", *names]  # -P: without the working folder
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        _running.update(dict.fromkeys(names, process))


def wait_for_loops(evaluator: Spec) -> None:
    """Waits until the loops of this evaluator are there, with a notice if it takes more than a moment. The run compiles
    what is missing then."""
    soon = time.monotonic() + _SOON
    for name in loops_of(evaluator):
        while _is_compiling(name):
            if soon and time.monotonic() > soon:
                from fewshot.solvers.compiled.notice import NOTICE

                _log.info(NOTICE)
                soon = 0.0
            time.sleep(_OFTEN)


def loops_of(evaluator: Spec) -> list[str]:
    """Which of `WITH_LOOPS` have the loops of this evaluator and of those inside it: the nearest to it."""
    inside = [text for value in evaluator.fields.values() for inner in specs_in(value) for text in loops_of(inner)]
    own = {text: spec for text in WITH_LOOPS if (spec := EVALUATORS.spec(text)).name == evaluator.name}
    equal = {text: len(spec.fields.items() & evaluator.fields.items()) for text, spec in own.items()}
    return inside or [max(equal, key=equal.__getitem__, default=_OTHERS)]


def _is_compiling(name: str) -> bool:
    process = _running.get(name)
    return process is not None and process.poll() is None and not loop_cache.is_marked(name)


def _stop() -> None:
    for process in _running.values():
        process.kill()
        process.wait()
