"""Words for sentences that people read: numbers with their nouns, lists, and errors with one line for each thing."""

from __future__ import annotations

from collections.abc import Sequence

_VOWELS = "aeiou"


class ItemisedError(ValueError):
    """An error about several things: a sentence, then a line for each of them."""

    def __init__(self, sentence: str, items: Sequence[str]) -> None:
        super().__init__("\n  ".join([sentence, *items]))
        self.lines = (sentence, *items)


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 run", "2 classes", "1,200 queries"."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def agreeing(number: object, one: str, many: str) -> str:
    """The words that agree with a number: "is" for 1, "are" for other numbers and for open ones, such as all."""
    return one if number == 1 else many


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def listed(parts: Sequence[str]) -> str:
    """Parts as "a, b and c"; "" for none."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
