"""Commands in processes of their own that start at once: a server that has imported everything forks for each.

A fork is a process like any other to signals, locks and files, without the seconds of importing torch.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.checkout import ROOT

_PRELOADED = "tests.support.preloaded"


@cache
def _context() -> Any:
    """The server of forks. It gets one thread, because a fork has only the thread that forks."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    return context


def start(
    folder: Path,
    *command: str | Path,
    watched: str = "phase",
    kill_at: tuple[str, int] | None = None,
    limits: Mapping[int, int] | None = None,
    **settings: str,
) -> BaseProcess:
    """A running fewshot command in this folder, with its caches in `home/` unless FEWSHOT_HOME is among the settings;
    its output goes to files beside `watched`, which names its phase. `limits` are those of `resource`."""
    environment = {"FEWSHOT_HOME": str(folder / "home")} | settings
    process: BaseProcess = _context().Process(
        target=_run,
        args=(folder, [str(word) for word in command], environment, folder / watched, kill_at, limits or {}),
    )
    process.start()
    return process


def finish(process: BaseProcess, seconds: float = 300) -> int:
    """The exit code of a process, negative for a signal; one that does not end in time is an error."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"the process did not end within {seconds} s")
    return process.exitcode


def _run(
    folder: Path,
    command: Sequence[str],
    environment: dict[str, str],
    watched: Path,
    kill_at: tuple[str, int] | None,
    limits: Mapping[int, int],
) -> None:
    from tests.support.phases import watch

    os.chdir(folder)
    os.environ.update(environment)
    for name, number in (("out", 1), ("err", 2)):
        file = os.open(watched.with_suffix(f".{name}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    watch(watched, kill_at)
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    from fewshot.cli import main

    sys.argv = ["fewshot", *command]
    main(prog_name="fewshot")
