"""Progress of long work: a live line on a terminal, and a whole line at most every half minute in a log, a pipe or a
notebook, where a live line would be a mess or silence."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

Thing = TypeVar("Thing")
EVERY = 30.0  # seconds between two lines of a log


def progress_bar(total: int, what: str, unit: str, shown: bool = True, done: int = 0) -> tqdm[Any]:
    """The progress of `total` units of work, `done` of them already; with `shown` False it shows nothing."""
    from fewshot.files.bars import LogLines, PacedBar

    usual: dict[str, Any] = {"total": total, "desc": what, "unit": unit, "initial": done, "leave": False}
    if not shown:
        return PacedBar(**usual, disable=True)
    if sys.stderr.isatty():
        return PacedBar(**usual, dynamic_ncols=True)
    return LogLines(**usual, mininterval=EVERY, miniters=1, delay=EVERY)


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
