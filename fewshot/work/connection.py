"""The connection to a scheduler that may go away and come back: one sentence for each state, and growing pauses."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fewshot.files.durations import duration
from fewshot.work.schedulers import Connect, Gone, address_of, is_address

LIMIT = 600.0  # seconds without a scheduler until the command gives up
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two attempts
_ANSWER = 10.0  # seconds for the answer to an attempt after the first
_NO_WORKER = 10.0  # seconds without a worker until the first sentence; then twice as many each time
_log = logging.getLogger("fewshot")


@dataclass(eq=False)
class Connection:
    """The connection to one scheduler."""

    scheduler: str
    connect: Connect
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def use(self, work: Callable[[Any], None], left: Callable[[], str]) -> None:
        """Returns once `work(client)` has returned. Where that raises Gone, waits for the scheduler and calls it again
        with a new client. `left`: what is left to do, in words. An OSError if the scheduler was never there, or is away
        for too long."""
        lost: float | None = None
        seconds: float | None = None
        pause = _FIRST_PAUSE
        while True:
            try:
                with self.connect(seconds) as client:
                    if lost is not None:
                        _log.info("connected to the scheduler %s again; %s", self._address, left())
                    lost, pause, seconds = None, _FIRST_PAUSE, _ANSWER
                    return work(client)
            except Gone as error:
                lost = self._lost(lost, error, seconds is None)
            self.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _lost(self, since: float | None, error: Gone, never_there: bool) -> float:
        """Since when the scheduler is lost."""
        if never_there:
            raise OSError(f"cannot reach the scheduler {self.scheduler}: {error}") from error
        now = self.clock()
        if since is None:
            limit = duration(LIMIT)
            _log.warning("lost the scheduler; waiting up to %s for it to come back at %s", limit, self._address)
            return now
        if now - since > LIMIT:
            raise OSError(
                f"the scheduler {self._address} did not come back within {duration(LIMIT)}; finished work is kept, and "
                "the same command continues from there"
            ) from error
        return since

    @property
    def _address(self) -> str:
        try:
            return address_of(self.scheduler)
        except Gone:
            return self.scheduler


@dataclass(eq=False)
class WorkerWatch:
    """Says when the scheduler of a client has no worker."""

    scheduler: str
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None  # when there was none for the first time; None: there is one
    _next: float = 0.0
    _had_one: bool = False

    def look(self, client: Any) -> None:
        """Asks for the workers now and then."""
        now = self.clock()
        if now < self._next:
            return
        if client.nthreads():
            self._since, self._next, self._had_one = None, now + _NO_WORKER, True
            return
        self._since = now if self._since is None else self._since
        passed = now - self._since
        if passed >= _NO_WORKER:
            state = "the scheduler has had no worker for" if self._had_one else "no worker has joined yet after"
            file = "" if is_address(self.scheduler) else "--scheduler-file "
            _log.warning("%s %.0f s; start one: dask worker %s%s", state, passed, file, self.scheduler)
        self._next = now + max(_NO_WORKER, passed)
