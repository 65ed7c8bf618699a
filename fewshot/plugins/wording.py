"""Words for sentences that people read: numbers with their nouns, lists, and the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_ALIKE = 0.6  # of difflib: less than this is no help
_VOWELS = "aeiou"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 run", "2 classes", "1,200 queries"."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def listed(parts: Sequence[str]) -> str:
    """Parts as "a, b and c"; "" for none."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names that are most like a name, in upper or lower case, the nearest first; none if none is like it."""
    folded = {one.lower(): one for one in known}
    return [folded[close] for close in difflib.get_close_matches(name.lower(), folded, n=most, cutoff=_ALIKE)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ "; did you mean NAME?" with the nearest known name, to end a sentence; "" if none is near."""
    close = nearest(name, known)
    return f"; did you mean {close[0]}?" if close else ""
