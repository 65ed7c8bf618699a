"""Columns of rows as studies read them: each reader gives a value of its type, or says in a ValueError what must be
there. Rows come as JSON, from Python or from CSV, so a text of a number is a number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from fewshot.plugins.registry import Registry
from fewshot.plugins.spec import Spec

Reader = Callable[[Any], Any]
_MISSING = object()


def required(read: Reader) -> dict[str, Any]:
    """The metadata of a dataclass field whose column must be there."""
    return {"read": read, "absent": _MISSING}


def optional(read: Reader, absent: Any = None) -> dict[str, Any]:
    """The metadata of a dataclass field that is `absent` where its column is missing or empty."""
    return {"read": lambda value: absent if value in (None, "") else read(value), "absent": None}


def value_of(row: Mapping[str, Any], field: dataclasses.Field[Any]) -> Any:
    """The column of a field; a ValueError names it, the row, and what was found."""
    value = row.get(field.name, field.metadata["absent"])
    try:
        return field.metadata["read"](value)
    except ValueError as error:
        found = "nothing" if value is _MISSING else repr(value)[:60]
        raise ValueError(
            f"the column {field.name!r} of the row {repr(row.get('run_id', ''))[:60]} must be {error}, got {found}; "
            "studies read rows that `fewshot run` or `fewshot bench` wrote"
        ) from error


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def spec_in(registry: Registry) -> Callable[[Any], Spec]:
    """A reader of specs of this kind, of any release: nothing is imported, nothing refused but what is no text."""
    return lambda value: registry.read(text(value))


def flag(value: Any) -> bool:
    """True or false."""
    if str(value).lower() not in ("true", "false"):
        raise ValueError("true or false")
    return str(value).lower() == "true"


def whole(least: int) -> Callable[[Any], int]:
    """A reader of whole numbers of at least so many."""

    def read(value: Any) -> int:
        found = _as_number(value)
        if found is None or found < least or found != int(found):
            raise ValueError(f"a whole number of at least {least}")
        return int(found)

    return read


def number(value: Any) -> float:
    """A finite number."""
    found = _as_number(value)
    if found is None:
        raise ValueError("a number")
    return found


def fraction(value: Any) -> float:
    """A number in [0, 1]."""
    found = _as_number(value)
    if found is None or not 0 <= found <= 1:
        raise ValueError("a number in [0, 1]")
    return found


def _as_number(value: Any) -> float | None:
    """A finite number, or a text of one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
