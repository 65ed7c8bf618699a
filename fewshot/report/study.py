"""What a page shows of a study of pre-trained networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fewshot.report.plots import Plot


@dataclass(frozen=True)
class StudyTable:
    """A table of texts, what it shows in its caption."""

    caption: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Study:
    """One study: what was asked, figures, tables, and what was left out and why."""

    title: str
    text: str
    plots: tuple[Plot, ...] = ()
    tables: tuple[StudyTable, ...] = ()
    remarks: tuple[str, ...] = ()


def bounded(value: float, low: float, high: float, digits: int) -> str:
    """A number with its interval, or without where there is none; no "-0", no break of line."""
    texts = [_plain(f"{each:.{digits}f}") for each in (value, low, high)]
    return texts[0] if math.isnan(low) or math.isnan(high) else f"{texts[0]}\u00a0[{texts[1]},\u00a0{texts[2]}]"


def _plain(text: str) -> str:
    return text.removeprefix("-") if float(text) == 0 else text
