"""What the figures of a task share: which contenders they show, and what is said below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup

from fewshot.report.rows.contenders import Contender, contender
from fewshot.report.rows.tasks import Task, accuracy, measured
from fewshot.results.row import Row

T = TypeVar("T")
MOST_TASKS = 24  # that have figures of their own
_MOST_ALIKE = 10  # runs of one contender at one shot that a figure shows


@dataclass(frozen=True)
class Plot:
    """A figure with what it shows in words."""

    svg: Markup
    caption: str


def best(task: Task, contenders: Sequence[Contender], most: int) -> list[Contender]:
    """At most so many measured contenders, those with the highest accuracies at any shot, in their usual order."""
    values = {each: [accuracy(row) for row in own if measured(row)] for each, own in task.by_contender.items()}
    highest = {each: max(own) for each, own in values.items() if own}
    ranked = set(sorted((each for each in contenders if each in highest), key=lambda each: -highest[each])[:most])
    return [each for each in contenders if each in ranked]


def some_of_each(rows: Sequence[Row]) -> list[Row]:
    """At most ten measured rows of every contender among rows of one shot, the first: as when it ran with many
    weights."""
    met: Counter[Contender] = Counter()
    kept = []
    for row in filter(measured, rows):
        each = contender(row)
        met[each] += 1
        if met[each] <= _MOST_ALIKE:
            kept.append(row)
    return kept


def brief(text: str, most: int = 40) -> str:
    """The text, its end cut off where it would not fit; the table has it whole."""
    return text if len(text) <= most else text[: most - 1] + "…"


def in_parts(found: Sequence[T], of: Callable[[T], Hashable], most: int) -> list[list[T]]:
    """Parts of at most so many, each of one kind, in order: what stands together in a figure."""
    kinds: dict[Hashable, list[T]] = {}
    for each in found:
        kinds.setdefault(of(each), []).append(each)
    return [own[start : start + most] for own in kinds.values() for start in range(0, len(own), most)]


def caption(what: str, kept: int, of: int) -> str:
    """What a figure shows, and whether it leaves out any."""
    return f"{what}." if kept == of else f"{what}: the best {kept} of {of}, the table has all."
