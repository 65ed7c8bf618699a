"""Measures beyond the accuracy, as texts for tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.plugins.short_name import one_line
from fewshot.report.rows import intervals
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, shot_label
from fewshot.results.files import Row

NAMES = ("lowest class", "lowest tenth", "macro-F1", "log loss", "calibration", "AUROC", "precision")
_COLUMNS = ("lowest_tenth", "macro_f1", "log_loss", "calibration_error", "auroc", "average_precision")


@dataclass(frozen=True)
class Value:
    """A measure as a text, "–" where there is no number, and its interval, "" where there is none."""

    text: str
    bounds: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.bounds}".rstrip()


@dataclass(frozen=True)
class MeasuresLine:
    """The further measures of one run, under NAMES."""

    backbone: str
    learner: str
    shot: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Measures:
    """The further measures of a task, and what they are."""

    lines: tuple[MeasuresLine, ...]
    caption: str


def measures(task: Task, shown: Shown) -> Measures | None:
    """Those of all runs of a task that have any; None where there are none, as in rows of older releases."""
    kept = [row for row in task.grouped if row.macro_f1 is not None]
    lines = tuple(MeasuresLine(*shown.name(row), shot_label(row), values(row)) for row in kept)
    return Measures(lines, " ".join(meaning(kept))) if kept else None


def values(row: Row) -> tuple[Value, ...]:
    """The measures of a row under NAMES, in percent but for the logarithmic loss: "52.1" with "[44.0, 60.1]"."""
    lowest = _value(row, "lowest_class_accuracy").text
    named = f"{lowest} {one_line(row.lowest_class, 24)}" if row.lowest_class else lowest
    return (Value(named), *(_value(row, name) for name in _COLUMNS))


def _value(row: Row, name: str) -> Value:
    value = getattr(row, name)
    if value is None or not math.isfinite(value):
        return Value("–")
    scale, digits = (1, 2) if name == "log_loss" else (100, 1)
    low, high = getattr(row, f"{name}_low", None), getattr(row, f"{name}_high", None)
    bounds = f"[{scale * low:z.{digits}f}, {scale * high:z.{digits}f}]" if low is not None and high is not None else ""
    return Value(f"{scale * value:z.{digits}f}", bounds)


def meaning(rows: Sequence[Row]) -> list[str]:
    """What the measures of these rows are, whom their brackets speak of, and why some are missing, as sentences."""
    kind = intervals.KINDS[1]
    said = [
        "In percent, but the log loss (the mean of -ln p of the true class). Lowest class: the accuracy of the class "
        "where it is lowest. Lowest tenth: the mean accuracy of the tenth of the episodes that went worst. "
        "Calibration: how far confidence is from accuracy, in 15 bins of equal mass over all queries. AUROC, and "
        "(average) precision: each class against the others."
    ]
    if any(row.macro_f1_low is not None for row in rows):
        speaks = f"Square brackets: 95 % intervals for {kind.words(rows)}"
        said.append(f"{speaks}; the lowest class, a minimum, has none.")
    reasons = dict.fromkeys(row.ranking_reason for row in rows if row.ranking_reason)
    said += [f"No AUROC and no average precision: {reason}." for reason in reasons]
    if any(row.lowest_tenth is None for row in rows):
        said.append("Fewer than 10 episodes have no lowest tenth.")
    return said
