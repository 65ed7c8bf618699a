"""What the numbers of a row must be: a rule for every column, and intervals that contain their value.

A row that a person or a damaged disk changed is refused by the name of its column before any table shows it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from typing import Any

from fewshot.plugins.fields import SEED, Rule, declare, integer, one_of
from fewshot.results.columns import SCHEMA
from fewshot.results.declared import declared

_ROUNDING = 1e-9  # a mean of ones may be rounded up
_OLD_MISS = 1e-3  # a measure of an older row may lie this far outside of its interval: that had few different values
_MOST = 1 << 53
_MOST_SECONDS = 10**11  # thirty centuries: the sum over many processors
_LONGEST = 60  # characters of a value in an error
FRACTION = Rule("in [0, 1]", lambda value: 0 <= value <= 1 + _ROUNDING)
_NUMBER = Rule(f"between {-_MOST:,} and {_MOST:,}", lambda value: -_MOST <= value <= _MOST)
_RATE = Rule(f"between 0 and {_MOST:,}", lambda value: 0 <= value <= _MOST)
_SECONDS = Rule(f"between 0 and {_MOST_SECONDS:,} seconds", lambda value: 0 <= value <= _MOST_SECONDS)
_TIME = Rule(
    "empty or a date and time of ISO 8601, such as 2026-01-31T12:00:00+00:00",
    lambda text: not text or time_of(text) is not None,
)
_COUNT = integer(0, _MOST)
_OF_TYPE: Mapping[str, Rule] = {"int": _COUNT, "int | None": _COUNT, "float": _NUMBER, "float | None": _NUMBER}
_UNITS = ("accuracy", "new_images", "new_classes", "new_draws")
_OF_COLUMN = declare(
    {f"{of}_{end}": FRACTION for of in _UNITS for end in ("low", "high")},
    schema=Rule(f"{SCHEMA}, or update fewshot to read rows of a newer release", lambda value: value == SCHEMA),
    status=one_of(("ok", "failed")),
    n_way=integer(1, _MOST),
    n_query=integer(1, _MOST),
    seed=SEED,
    training_seed=SEED,
    accuracy=FRACTION,
    new_classes_monte_carlo=FRACTION,
    seen_error=FRACTION,
    seconds_embedding=_SECONDS,
    seconds_solving=_SECONDS,
    seconds_per_episode=_SECONDS,
    images_per_second=_RATE,
    image_bytes_per_second=_RATE,
    device_use=FRACTION,
    device_joules=_RATE,
    finished=_TIME,
)
_INTERVALS = tuple(("accuracy", f"{of}_low", f"{of}_high", _ROUNDING) for of in _UNITS)


def check_value(name: str, kind: str, value: Any) -> None:
    """Raises a ValueError if a column of the type `kind` cannot have this value, which is of that type."""
    rule = _rules().get(name) or _OF_TYPE.get(kind)
    if value is not None and rule is not None and not rule.holds(value):
        raise ValueError(f"column {name} should be {rule.wanted}, found {short(value)}")


def check_intervals(values: Mapping[str, Any]) -> None:
    """Raises a ValueError if an interval has one end, ends before it starts, or does not contain its value."""
    for name, low, high, miss in _intervals():
        start, end, value = values.get(low), values.get(high), values.get(name)
        if start is None or end is None:
            if start is not end:
                raise ValueError(
                    f"columns {low} and {high} should both be numbers or both be null, found {[start, end]}"
                )
            continue
        if start > end:
            raise ValueError(f"column {low} should be at most {high} ({end:.6g}), found {start:.6g}")
        if value is None or not start - miss <= value <= end + miss:
            raise ValueError(
                f"column {name} should be in its interval [{start:.6g}, {end:.6g}] of {low} and {high}, found "
                f"{'null' if value is None else format(value, '.6g')}"
            )


def short(value: Any) -> str:
    """The value as Python text, cut if it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def time_of(text: str) -> datetime.datetime | None:
    """The time that a text of ISO 8601 states, in UTC unless it says otherwise; None if it states none."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


@cache
def _rules() -> Mapping[str, Rule]:
    """The rules of single columns; a measure and its interval are in its limits."""
    of_measures = {
        column: FRACTION if measure.unit == "%" else _within(*measure.limits)
        for measure in declared()
        for column in (measure.number, *(measure.bounds or ()))
    }
    return {**of_measures, **_OF_COLUMN}


def _within(low: float | None, high: float | None) -> Rule:
    least, most = -_MOST if low is None else low, _MOST if high is None else high
    return Rule(f"between {least:,} and {most:,}", lambda value: least - _ROUNDING <= value <= most + _ROUNDING)


@cache
def _intervals() -> tuple[tuple[str, str, str, float], ...]:
    """(value, low, high, how far the value may lie outside) of every interval."""
    bounded = ((measure.number, measure.bounds) for measure in declared())
    return (*_INTERVALS, *((number, *bounds, _OLD_MISS) for number, bounds in bounded if bounds is not None))
