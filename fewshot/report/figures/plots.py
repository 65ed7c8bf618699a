"""What the figures of a task share: which contenders they show, under which names, and what is said below."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup

from fewshot.report.rows.tasks import Contender, Task, accuracy, contender, measured

T = TypeVar("T")
Names = dict[Contender, tuple[str, str]]  # backbone, and transform with evaluator


@dataclass(frozen=True)
class Plot:
    """A figure with what it shows in words."""

    svg: Markup
    caption: str


def best(task: Task, contenders: Sequence[Contender], most: int) -> list[Contender]:
    """At most so many measured contenders, those with the highest accuracies at any shot, in their usual order."""
    highest: dict[Contender, float] = {}
    for row in filter(measured, task.rows):
        highest[contender(row)] = max(highest.get(contender(row), 0.0), accuracy(row))
    ranked = sorted((c for c in contenders if c in highest), key=lambda c: -highest[c])[:most]
    return [c for c in contenders if c in ranked]


def brief(text: str, most: int = 40) -> str:
    """The text, its end cut off where it would not fit; the table has it whole."""
    return text if len(text) <= most else text[: most - 1] + "…"


def in_parts(found: Sequence[T], of: Callable[[T], Hashable], most: int) -> list[list[T]]:
    """Parts of at most so many, each of one kind, in order: what stands together in a figure."""
    kinds: dict[Hashable, list[T]] = {}
    for each in found:
        kinds.setdefault(of(each), []).append(each)
    return [own[start : start + most] for own in kinds.values() for start in range(0, len(own), most)]


def shown(what: str, kept: int, of: int) -> str:
    """What a figure shows, and whether it leaves out any."""
    return f"{what}." if kept == of else f"{what}: the best {kept} of {of}, the table has all."
