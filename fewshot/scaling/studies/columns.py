"""Readers of columns for studies: each returns a value of its type, or raises a ValueError that says what is needed.
Rows come from JSON, Python or CSV, so a text of a number is a number."""

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
    """The metadata of a dataclass field whose column must exist."""
    return {"read": read, "absent": _MISSING}


def optional(read: Reader, absent: Any = None) -> dict[str, Any]:
    """The metadata of a dataclass field that is `absent` if its column is missing or empty."""
    return {"read": lambda value: absent if value in (None, "") else read(value), "absent": None}


def value_of(row: Mapping[str, Any], field: dataclasses.Field[Any]) -> Any:
    """The value of a field's column. The ValueError names the column, the row and the value."""
    value = row.get(field.name, field.metadata["absent"])
    try:
        return field.metadata["read"](value)
    except ValueError as error:
        got = "nothing" if value is _MISSING else repr(value)[:60]
        raise ValueError(
            f"the column {field.name!r} of the row {repr(row.get('run_id', ''))[:60]} must be {error}, got {got}; "
            "give rows of `fewshot run` or `fewshot bench`"
        ) from error


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def spec_in(registry: Registry) -> Callable[[Any], Spec]:
    """A reader of specs of this kind, from any release. It imports nothing, and refuses only what is not text."""
    return lambda value: registry.read(text(value))


def flag(value: Any) -> bool:
    """True or false."""
    if str(value).lower() not in ("true", "false"):
        raise ValueError("true or false")
    return str(value).lower() == "true"


def whole(least: int) -> Callable[[Any], int]:
    """A reader of whole numbers of at least `least`."""

    def read(value: Any) -> int:
        result = _as_number(value)
        if result is None or result < least or result != int(result):
            raise ValueError(f"a whole number of at least {least}")
        return int(result)

    return read


def number(value: Any) -> float:
    """A finite number."""
    result = _as_number(value)
    if result is None:
        raise ValueError("a number")
    return result


def fraction(value: Any) -> float:
    """A number in [0, 1]."""
    result = _as_number(value)
    if result is None or not 0 <= result <= 1:
        raise ValueError("a number in [0, 1]")
    return result


def _as_number(value: Any) -> float | None:
    """A finite number, or the finite number in a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None
