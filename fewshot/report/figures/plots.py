"""What the figures of a task share: the contenders that they show, and their captions."""

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
MOST_TASKS = 24  # with figures of their own
_MOST_ALIKE = 10  # runs of one contender at one shot that a figure shows


@dataclass(frozen=True)
class Plot:
    """A figure with its caption."""

    svg: Markup
    caption: str


def best(task: Task, contenders: Sequence[Contender], most: int) -> list[Contender]:
    """At most `most` measured contenders, those with the highest accuracies at any shot, in their usual order."""
    values = {each: [accuracy(row) for row in own if measured(row)] for each, own in task.by_contender.items()}
    highest = {each: max(own) for each, own in values.items() if own}
    ranked = set(sorted((each for each in contenders if each in highest), key=lambda each: -highest[each])[:most])
    return [each for each in contenders if each in ranked]


def some_of_each(rows: Sequence[Row]) -> list[Row]:
    """The first ten measured rows of every contender, given rows of one shot. A contender has many if it ran with many
    weights."""
    count: Counter[Contender] = Counter()
    kept = []
    for row in filter(measured, rows):
        each = contender(row)
        count[each] += 1
        if count[each] <= _MOST_ALIKE:
            kept.append(row)
    return kept


def brief(text: str, most: int = 40) -> str:
    """The text, cut off at `most` characters. The table has the whole text."""
    return text if len(text) <= most else text[: most - 1] + "…"


def in_parts(things: Sequence[T], kind: Callable[[T], Hashable], most: int) -> list[list[T]]:
    """Parts of at most `most` things, each of one kind, in order. A figure shows one part."""
    kinds: dict[Hashable, list[T]] = {}
    for each in things:
        kinds.setdefault(kind(each), []).append(each)
    return [own[start : start + most] for own in kinds.values() for start in range(0, len(own), most)]


def caption(title: str, task: Task, kept: int, total: int) -> str:
    """The caption of a figure of a task. It says so if the figure omits contenders, or runs of a contender."""
    omits_runs = any(len(some_of_each(rows)) < sum(map(measured, rows)) for rows in task.by_shot.values())
    contenders = "" if kept == total else f" Only the best {kept} of {total} contenders are shown; the table has all."
    runs = f" At most {_MOST_ALIKE} runs of one contender at one shot are shown." if omits_runs else ""
    return f"{title}.{contenders}{runs}"
