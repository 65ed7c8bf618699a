"""Fill values: one value far from all others, such as that for missing data or of a saturated border.

One scale holds for all deep pictures of a type, so a fill value takes most of the 256 levels from the other values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets._depth import Scale
from fewshot.plugins.wording import agreeing, counted

Inner = tuple[float, float]  # the smallest and the largest value of a picture between its two extremes
_SHARE = 0.25  # of the range: a fill value leaves less to all other values together
_LAST_LEVEL = 255
_EIGHT = "save all pictures with 8 bits"
_HALF = 0.5  # of the pictures have different values beside a fill value; fewer are drawings of two values


@dataclass(frozen=True)
class Extremes:
    """The values of a picture: its smallest and largest, and those next to them; `inner` is None without others."""

    low: float
    high: float
    inner: Inner | None


@dataclass(frozen=True)
class Fill:
    """Fill values of a data set, and the values between `low` and `high` that all its pictures use beside them."""

    values: tuple[float, ...]
    low: float
    high: float
    levels: float  # of 255 that the scale leaves to them

    @property
    def is_black(self) -> bool:
        """Whether it may as well be a usual background: 0."""
        return self.values == (0.0,)


def inner_of(values: NDArray[Any], low: float, high: float) -> Inner | None:
    """The smallest and the largest finite value of a picture strictly between `low` and `high`; None without any."""
    inside = values[(values > low) & (values < high)]
    return (float(inside.min()), float(inside.max())) if inside.size else None


def inner_of_each(pictures: NDArray[Any]) -> list[Inner | None]:
    """`inner_of` for each of n pictures [n, ...] of finite values, between its own extremes."""
    flat = pictures.reshape(len(pictures), -1)
    low, high = flat.min(1, keepdims=True), flat.max(1, keepdims=True)
    inside = (flat > low) & (flat < high)
    least = np.where(inside, flat, high).min(1).tolist()
    most = np.where(inside, flat, low).max(1).tolist()
    some = inside.any(1).tolist()
    return [(float(a), float(b)) if is_some else None for a, b, is_some in zip(least, most, some, strict=True)]


def fill_of(pictures: Iterable[Extremes], scale: Scale) -> Fill | None:
    """The fill value of pictures of one type, at one end of their values or both; None if there is none."""
    every = list(pictures)
    low, high = min(one.low for one in every), max(one.high for one in every)
    above = min((value for one in every for value in _values(one) if value > low), default=high)
    below = max((value for one in every for value in _values(one) if value < high), default=low)
    for values, bottom, top in (((high,), low, below), ((low,), above, high), ((low, high), above, below)):
        narrow = 0 < top - bottom < _SHARE * (high - low)
        if narrow and sum(_varies(one, values) for one in every) >= _HALF * len(every):
            return Fill(values, bottom, top, 255 * (top - bottom) / (scale.white - scale.black))
    return None


def _values(picture: Extremes) -> tuple[float, ...]:
    return picture.low, *(picture.inner or ()), picture.high


def _varies(picture: Extremes, fills: tuple[float, ...]) -> bool:
    """Whether a picture has different values beside the fill values."""
    return len({*_values(picture)}.difference(fills)) > 1


def check_fills(
    name: str,
    pictures: Mapping[str, Mapping[int, Extremes]],
    scales: Mapping[str, Scale],
    where: Callable[[int], object],
) -> list[str]:
    """The warnings about black that takes most of a scale; a ValueError if another fill value does. `pictures`: those
    of each type of values, by row; `where` names a row. Nothing is lost, and nothing refused, where a scale has a level
    for every integer."""
    warnings = []
    for kind, rows in pictures.items():
        is_lossless = kind != "float" and scales[kind].white - scales[kind].black <= _LAST_LEVEL
        fill = None if is_lossless else fill_of(rows.values(), scales[kind])
        if fill is None:
            continue
        sentence = f"{name}: {_found(kind, rows, fill, scales[kind], where)}"
        missing = " (or NaN)" if kind == "float" else ""
        instead = f"write a value from {fill.low:.6g} to {fill.high:.6g}{missing} in its place"
        if fill.is_black:
            warnings.append(f"{sentence}; if 0 stands for missing data, {instead}")
        else:
            raise ValueError(f"{sentence}; if it stands for missing or saturated pixels, {instead}, or {_EIGHT}")
    return warnings


def _found(kind: str, rows: Mapping[int, Extremes], fill: Fill, scale: Scale, where: Callable[[int], object]) -> str:
    """How many pictures hold a fill value, and what it leaves to the others, in words."""
    holders = [row for row, one in rows.items() if {one.low, one.high} & set(fill.values)]
    hold, value = agreeing(len(holders), "holds", "hold"), " or ".join(f"{value:.6g}" for value in fill.values)
    return (
        f"{len(holders):,} of {counted(len(rows), f'{kind} picture')}, such as {where(holders[0])}, {hold} the value "
        f"{value}, far from all others ({fill.low:.6g} to {fill.high:.6g}), so that one scale, {scale}, leaves the "
        f"others {max(1, round(fill.levels))} of 256 levels"
    )
