"""What was found in a file, for a sentence about it: of any length there, short in the sentence."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_MOST = 120  # characters of one value
_MESSAGE = 400  # of an error of another library


def shortened(text: str, most: int = _MOST) -> str:
    """The text, cut in the middle ("aaa…zzz") where it has more than `most` characters, at least 3."""
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def quoted(value: object) -> str:
    """The repr of a value, at most 120 characters of it."""
    return shortened(repr(value))


def first_of(names: Iterable[object], none: str = "none", most: int = 20) -> str:
    """The first `most` names, each shortened, with commas between them, and the number of the others; `none` for no
    names."""
    every = iter(names)
    shown = [shortened(str(name)) for name in islice(every, most)]
    others = sum(1 for _ in every)
    return ", ".join(shown) + (f" and {others:,} more" if others else "") if shown else none


def message(error: BaseException) -> str:
    """What another library says of a file, at most 400 characters of it; the class of the error if it says nothing."""
    return shortened(str(error), _MESSAGE) or type(error).__name__
