"""Words and numbers that studies share."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fewshot.scaling.studies.ladders import Ladder, Names


def omitted(ladders: Iterable[Ladder], names: Names) -> list[str]:
    """What was omitted from ladders and why, one sentence each."""
    return [
        f"Omitted: {names.arm(ladder)}, {names.short(ladder)}, {why}." for ladder in ladders for why in ladder.dropped
    ]


def why_unbounded(bounds: Iterable[tuple[float, str]]) -> list[str]:
    """Why intervals are missing, each reason once. `bounds`: lower bounds, each with how it was computed."""
    return list(dict.fromkeys(f"{how[:1].upper()}{how[1:]}." for low, how in bounds if not math.isfinite(low)))


def bounded(value: float, low: float, high: float, digits: int) -> str:
    """A number with its interval, if there is one; no "-0", no line break."""
    texts = [f"{each:z.{digits}f}" for each in (value, low, high)]
    return texts[0] if math.isnan(low) or math.isnan(high) else f"{texts[0]}\u00a0[{texts[1]},\u00a0{texts[2]}]"
