"""Worker processes of this machine that work on one plan; this process watches them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fewshot.work.gpus import Shares, only
from fewshot.work.places import WorkFolder

LOOK = 0.25  # seconds between two looks at the workers
_GRACE = 15.0  # seconds: a worker that is stopped stores its finished batches
_COULD_NOT_WORK = (1, 2)  # exit codes of a worker that takes no task; user code may end a process with any code
_DONE = (0, 128 + signal.SIGINT, 128 + signal.SIGTERM)  # nothing is left to do, or someone stopped it
_STOPPED = "Stopped. "  # what a worker prints when it is stopped


@dataclass(eq=False)
class LocalWorkers:
    """`jobs` workers. A worker that dies is replaced; the lease of its task is counted as lost."""

    folder: WorkFolder
    results: Path
    jobs: int
    options: Sequence[str] = ()  # of `fewshot work`
    say: Callable[[str], None] = print  # prints a line that a worker wrote, once for all workers
    gpus: Sequence[str] = ()  # to divide the workers among
    _running: list[subprocess.Popen[str]] = field(default_factory=list)
    _said: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shares = Shares(self.gpus)

    def work(self, look: Callable[[], None]) -> None:
        """Returns when all tasks have ended; calls `look` now and then. An interruption stops the workers first. A
        worker that cannot start is a ValueError."""
        try:
            jobs = min(self.jobs, self.folder.n_left)
            while self.folder.n_left:
                while len(self._running) < jobs:
                    self._running.append(self._start())
                time.sleep(LOOK)
                look()
                jobs -= self._ended()
                if not jobs and self.folder.n_left:
                    raise OSError("all workers were stopped; the same command continues from there")
        finally:
            self._stop()
        look()

    def _start(self) -> subprocess.Popen[str]:
        gpu = self._shares.next(process.pid for process in self._running)
        command = [sys.executable, "-m", "fewshot", "work", str(self.folder.path), "--results", str(self.results)]
        process = subprocess.Popen(
            [*command, "--quiet", "--with-parent", *self.options],
            stdin=subprocess.PIPE,  # it closes when this process dies, and the worker then stops
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, **threads_of_worker(self.jobs), **only(gpu), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C reaches this process alone, which stops the workers
        )
        self._shares.take(process.pid, gpu)
        assert process.stderr is not None
        threading.Thread(target=self._listen, args=(process.stderr,), daemon=True).start()
        return process

    def _listen(self, stream: IO[str]) -> None:
        """Prints every different line of the workers once."""
        with stream:
            for line in stream:
                text = line.rstrip()
                if text and text not in self._said and not text.startswith(_STOPPED):
                    self._said[text] = None
                    self.say(text)

    def _ended(self) -> int:
        """The number of workers that have nothing to do any more, or that someone stopped. Forgets those that died."""
        ended, n_done = [p for p in self._running if p.poll() is not None], 0
        for process in ended:
            self._running.remove(process)
            _close(process)
            code = process.returncode
            if code in _COULD_NOT_WORK and not self.folder.leases.held_by(process.pid):
                time.sleep(LOOK)  # its last line is on its way
                raise ValueError(f"a worker could not work: {_last(self._said)}")
            if code in _DONE:
                n_done += 1
            elif self.folder.n_left:
                why = _signal(-code) if code < 0 else f"exit code {code}"
                self.say(f"Warning: worker {process.pid} died ({why}); another one takes its place and its task")
        return n_done

    def _stop(self) -> None:
        for process in self._running:
            with contextlib.suppress(OSError):
                process.terminate()
        until = time.monotonic() + _GRACE
        for process in self._running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        self.folder.leases.release(process.pid for process in self._running)
        self._running.clear()


def _close(process: subprocess.Popen[str]) -> None:
    """Closes the pipe to a worker that has ended; its own output is closed by who reads it."""
    if process.stdin is not None:
        process.stdin.close()


def stop_with_parent() -> None:
    """Ends this process as SIGTERM does once its parent has closed its standard input, or has died."""

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def threads_of_worker(n_workers: int) -> dict[str, str]:
    """The environment of the threads of a worker, unless the user has chosen it: its share of the cores, without
    waiting loops that take cores from others."""
    share = str(max(1, n_cores() // n_workers))
    usual = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": share, "NUMBA_NUM_THREADS": share}
    return {name: os.environ.get(name, value) for name, value in usual.items()}


def n_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _signal(number: int) -> str:
    """What killed a process, in words."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name}, which the system sends when memory is short" if name == "SIGKILL" else name


def _last(lines: dict[str, None]) -> str:
    return next(reversed(lines), "it printed no error").removeprefix("Error: ")
