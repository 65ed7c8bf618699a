"""Grids of hyperparameters: the values of each field to choose among.

A grid consists of literals, so that a spec can hold it: `(("C", (0.1, 1.0, 10.0)), ("max_iter", (50, 100)))` means
the 6 combinations of both fields. A name stands for published values: `(("C", "dinov2"),)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

Grid = tuple[tuple[str, tuple[Any, ...] | str], ...]

# DINOv2 (Oquab et al. 2023, arXiv 2304.07193): C in 10^linspace(-6, 5, 45), in steps of a quarter of a decade.
PRESETS: dict[str, tuple[float, ...]] = {"dinov2": tuple(10 ** (-6 + i / 4) for i in range(45))}
_FORM = "(('C', (0.1, 1.0)),)"


def combinations(grid: Any) -> list[dict[str, Any]]:
    """Every combination of a grid's values, by field; the last field varies fastest.

    A grid that is empty, does not consist of fields and values, or repeats a field or a value raises a ValueError.
    """
    if not isinstance(grid, tuple | list) or not grid:
        raise ValueError(f"a grid must hold fields and their values, such as {_FORM}. Got {grid!r} instead.")
    columns = [_column(pair) for pair in grid]
    fields = [field for field, _ in columns]
    if len(set(fields)) < len(fields):
        raise ValueError(f"a grid holds each field once. Got the fields {', '.join(fields)} instead.")
    return [dict(zip(fields, values, strict=True)) for values in product(*(values for _, values in columns))]


def parse_grid(texts: Iterable[str]) -> Grid:
    """The grid of command-line texts "FIELD=VALUE,VALUE".

    Numbers, True, False and None are those of Python, any other value is a string. A preset such as "C=dinov2" stands
    for the preset's values.
    """
    return tuple(_parsed(text) for text in texts)


def _column(pair: Any) -> tuple[str, Sequence[Any]]:
    """A field and its values, with presets looked up."""
    if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)):
        raise ValueError(f"a grid must hold pairs of a field and its values, such as {_FORM}. Got {pair!r} instead.")
    field, values = pair
    if isinstance(values, str):
        if values not in PRESETS:
            raise ValueError(
                f"a grid's values of {field!r} must be a tuple or one of the names "
                f"{', '.join(PRESETS)}. Got {values!r} instead."
            )
        return field, PRESETS[values]
    if not isinstance(values, tuple | list) or not values:
        raise ValueError(f"a grid's values of {field!r} must be a tuple of at least one. Got {values!r} instead.")
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise ValueError(f"a grid holds each value of {field!r} once. Got {twice[0]!r} twice.")
    return field, values


def _parsed(text: str) -> tuple[str, tuple[Any, ...] | str]:
    field, sign, listed = text.partition("=")
    values = [value.strip() for value in listed.split(",")]
    if not (sign and field.strip().isidentifier() and all(values)):
        raise ValueError(f"cannot read the grid {text!r}: write FIELD=VALUE,VALUE such as C=0.01,0.1,1")
    if values[0] in PRESETS and len(values) == 1:
        return field.strip(), values[0]
    return field.strip(), tuple(_value(value) for value in values)


def _value(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if value is None or isinstance(value, bool | int | float | str) else text
