"""The bars of progress.py, apart because importing tqdm takes longer than showing a finished row."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from fewshot.files.durations import duration

if TYPE_CHECKING:
    _Bar = tqdm[Any]
else:

    class _Bar(tqdm):  # tqdm itself cannot be subscripted
        """A bar with a lock of its process alone: tqdm's is a semaphore of the system, which a killed process leaves
        behind."""


_Bar.set_lock(threading.RLock())


class PacedBar(_Bar):
    """A bar whose rate leaves out the first batch, in which solvers are compiled and files are read."""

    first: tuple[int, float] | None = None  # the units and seconds at the end of the first batch

    def update(self, n: float | None = 1) -> bool | None:
        """Counts n more units."""
        shown: bool | None = super().update(n)
        if self.first is None and not self.disable:
            self.first = int(self.n), float(super().format_dict["elapsed"])
        return shown

    @property
    def pace(self) -> float:
        """Units per second since the first batch; 0 as long as it is not known."""
        units, seconds = self.first or (int(self.n), 0.0)
        passed = float(super().format_dict["elapsed"]) - seconds
        return (self.n - units) / passed if passed else 0.0

    @property
    def format_dict(self) -> dict[str, Any]:
        """What tqdm shows, with this pace; 0 prints "?" for the rate and the time left."""
        return {**super().format_dict, "rate": self.pace}


class LogLines(PacedBar):
    """A bar that writes whole lines."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Writes a line with the units that are done, their rate and the time left."""
        if msg is None:
            print(self.line(), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends without a line: the one who asked for the work reports its end."""
        self.fp = io.StringIO()  # tqdm ends with a carriage return
        super().close()

    def line(self) -> str:
        """Such as "embedding resnet18: 1,200 of 5,000 images, 85 per s, 45 s left"."""
        total, pace = int(self.total or 0), self.pace
        parts = [f"{self.n:,} of {total:,} {self.unit}{'' if total == 1 else 's'}", _rate(pace, self.unit)]
        parts += [f"about {duration((total - self.n) / pace)} left" if pace else "", str(self.postfix or "")]
        return f"  {self.desc.removesuffix(': ')}: {', '.join(filter(None, parts))}"


def _rate(pace: float, unit: str) -> str:
    if not pace:
        return ""
    return f"{pace:,.3g} per s" if pace >= 1 else f"{1 / pace:,.3g} s per {unit}"
