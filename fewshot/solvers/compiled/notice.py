"""The notice that numba compiles, which takes up to a minute the first time on a machine and prints nothing itself."""

from __future__ import annotations

import functools
import logging
from threading import Timer
from typing import Any

NOTICE = "Compiling solvers, once on this machine (up to a minute) ..."
_SOON = 2.0  # seconds; shorter compilations need no notice
_log = logging.getLogger("fewshot")


@functools.cache
def announce_compilation() -> None:
    """From now on, the log says so when numba compiles for more than a moment; it says so once."""
    from numba.core import event

    class Announcement(event.Listener):
        """Waits a moment after the outermost compilation starts, as loops compile the loops that they call."""

        def __init__(self) -> None:
            self.depth, self.timer = 0, Timer(0, _announce)

        def on_start(self, event: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.timer = Timer(_SOON, _announce)
                self.timer.daemon = True
                self.timer.start()

        def on_end(self, event: Any) -> None:
            self.depth -= 1
            if not self.depth:
                self.timer.cancel()

    event.register("numba:compile", Announcement())  # type: ignore[no-untyped-call]


@functools.cache
def _announce() -> None:
    _log.info(NOTICE)
