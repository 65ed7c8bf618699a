"""Measures beside the accuracy, as texts for tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from fewshot.plugins.short_name import one_line
from fewshot.plugins.wording import agreeing, listed
from fewshot.report.rows import intervals
from fewshot.report.rows.reasons import are_fixed, sentence
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, shot_label
from fewshot.results.declared import Declared, declared
from fewshot.results.row import Row

MOST_LINES = 200  # of a task


@dataclass(frozen=True)
class Value:
    """A measure as text, "–" for none, and its interval, "" for none."""

    text: str
    bounds: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.bounds}".rstrip()


@dataclass(frozen=True)
class MeasuresLine:
    """The further measures of one run, under `titles`."""

    backbone: str
    learner: str
    shot: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Measures:
    """The further measures of a task, and what they mean, one sentence per line."""

    lines: tuple[MeasuresLine, ...]
    notes: tuple[str, ...]
    n_omitted: int = 0  # less accurate runs, which only the results file shows


def titles() -> tuple[str, ...]:
    """The headings of all registered measures."""
    return tuple(measure.title for measure in declared())


def has_any(row: Row) -> bool:
    """Whether a row has any further measure; rows of older releases have none."""
    return any(row.measures[measure.number] is not None for measure in declared())


def measures(task: Task, shown: Shown, most: int = MOST_LINES) -> Measures | None:
    """The further measures of the runs of a task that have any, of at most `most`, the most accurate; None if no run
    has."""
    known = [row for row in task.grouped if has_any(row)]
    if not known:
        return None
    best = known
    if len(known) > most:
        ids = {id(row) for row in sorted(known, key=lambda row: -(row.accuracy or 0.0))[:most]}
        best = [row for row in known if id(row) in ids]
    lines = tuple(MeasuresLine(*shown.name(row), shot_label(row), values(row)) for row in best)
    return Measures(lines, tuple(meaning(known)), len(known) - len(best))


def values(row: Row) -> tuple[Value, ...]:
    """The measures of a row under `titles`: "52.1" with "[44.0, 60.1]", or "16.7 cat"."""
    return tuple(_value(row, measure) for measure in declared())


def _value(row: Row, measure: Declared) -> Value:
    bounds = "" if measure.bounds is None else ", ".join(_number(row, name, measure) for name in measure.bounds)
    label = one_line(str(row.measures[measure.label]), 24) if measure.label else ""
    text = _number(row, measure.number, measure) or "–"
    return Value(f"{text} {label}".rstrip(), f"[{bounds}]" if bounds.strip(", ") else "")


def _number(row: Row, name: str, measure: Declared) -> str:
    """A column as people read it: fractions in %; "" if there is no number."""
    value = row.measures[name]
    if not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    scale, digits = (100, 1) if measure.unit == "%" else (1, 2)
    return f"{scale * value:z.{digits}f}"


def meaning(rows: Sequence[Row]) -> list[str]:
    """What the measures of these rows mean, what their brackets are, and why some are missing, one sentence each."""
    known = declared()
    others = [f"{measure.title} in {measure.unit}" for measure in known if measure.unit != "%"]
    lower = [measure.title for measure in known if measure.better == "lower"]
    sentences = [
        f"{', '.join(['Values in %', *others])}.",
        *([f"Lower is better for {listed(lower)}."] if lower else []),
        *map(_explained, known),
    ]
    lows = [measure.bounds[0] for measure in known if measure.bounds]
    if any(row.measures[low] is not None for row in rows for low in lows):
        without = [measure.title for measure in known if not measure.bounds]
        verb = agreeing(len(without), "has", "have")
        none = f"; {listed(without)} {verb} no interval" if without else ""
        sentences.append(f"[ ]: 95 % interval for {intervals.KINDS[1].population(rows)}{none}.")
    return [*sentences, *_missing(rows)]


def _explained(measure: Declared) -> str:
    title, caption = measure.title, measure.caption
    caption = caption[:1].lower() + caption[1:] if caption[1:2].islower() else caption
    return f"{title[:1].upper()}{title[1:]}: {caption}"


def _missing(rows: Sequence[Row]) -> list[str]:
    """Why measures are missing, one sentence per reason."""
    missing: dict[str, dict[str, None]] = {}
    for row, measure in product(rows, declared()):
        reason = str(row.measures[measure.reason]) if measure.reason else ""
        if reason and row.measures[measure.number] is None:
            missing.setdefault(reason, {})[measure.title] = None
    return [sentence(f"No {listed([*titles])}", [reason], are_fixed(rows)) for reason, titles in missing.items()]
