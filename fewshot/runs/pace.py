"""How long a run takes, logged once where there is no progress bar, as in a file of output."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

_FIRST_SECONDS = 5.0  # of solving, before the estimate
_LONG_SECONDS = 60.0  # a run that ends sooner needs no estimate
_log = logging.getLogger("fewshot")


@dataclass(eq=False)
class Pace:
    """Counts the solved episodes of a run of `total` episodes. The first count gives no pace: loops compile then."""

    total: int
    solved: int = 0
    first: int = 0  # episodes of the first count
    start: float = 0.0  # when it ended
    is_logged: bool = False

    def advance(self, count: int) -> None:
        """Counts some episodes; logs the estimate once, if it is long."""
        self.solved += count
        if not self.first:
            self.first, self.start = count, time.monotonic()
            return
        seconds = time.monotonic() - self.start
        if self.is_logged or seconds < _FIRST_SECONDS:
            return
        self.is_logged = True
        left = seconds / (self.solved - self.first) * (self.total - self.solved)
        if left > _LONG_SECONDS:
            message = "%s of %s episodes took %.0f s, so the others take about %s min; stop at any time: finished "
            message += "episodes are kept"
            _log.info(message, f"{self.solved - self.first:,}", f"{self.total:,}", seconds, f"{left / 60:,.0f}")
