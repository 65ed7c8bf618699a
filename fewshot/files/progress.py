"""Progress of long work: a live line on a terminal, and a whole line at most every half minute in a log, a pipe or a
notebook, where a live line would be a mess or silence."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    _Bar = tqdm[Any]
else:
    _Bar = tqdm  # cannot be subscripted

Thing = TypeVar("Thing")
EVERY = 30.0  # seconds between two lines of a log


def progress_bar(total: int, what: str, unit: str, shown: bool = True, done: int = 0) -> tqdm[Any]:
    """The progress of `total` units of work, `done` of them already; with `shown` False it shows nothing."""
    usual: dict[str, Any] = {"total": total, "desc": what, "unit": unit, "initial": done, "leave": False}
    if not shown:
        return tqdm(**usual, disable=True)
    if sys.stderr.isatty():
        return _PacedBar(**usual, dynamic_ncols=True)
    return _LogLines(**usual, mininterval=EVERY, miniters=1, delay=EVERY)


def with_progress(things: Iterable[Thing], total: int, what: str, unit: str, shown: bool = True) -> Iterator[Thing]:
    """The things, with their progress."""
    with progress_bar(total, what, unit, shown) as bar:
        for thing in things:
            yield thing
            bar.update()


def show_step(bar: tqdm[Any], step: int, steps: int) -> None:
    """Shows the step of the present batch beside the units that are done."""
    if bar.disable:
        return
    bar.set_postfix_str("" if step == steps else f"step {step:,} of {steps:,}", refresh=False)
    now = bar.start_t + bar.format_dict["elapsed"]
    if now - bar.last_print_t >= bar.mininterval:
        bar.last_print_t = now
        bar.refresh()


class _PacedBar(_Bar):
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


class _LogLines(_PacedBar):
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


def duration(seconds: float) -> str:
    """Such as "45 s", "12 min" or "3.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
