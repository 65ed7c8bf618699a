"""Texts shortened to a width, so that different texts stay different."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from fewshot.plugins.short_name import one_line


def shortened(texts: Sequence[str], most: int) -> list[str]:
    """The texts with at most so many characters, shortened in the middle. Where two would be equal, the part in which
    they differ stays; where that is too long as well, they get numbers."""
    short = {text: one_line(text, most) for text in texts}
    for same in _equal(short):
        short |= _around_differences(same, most)
    for same in _equal(short):
        short |= {text: _numbered(text, number, most) for number, text in enumerate(same, 1)}
    return [short[text] for text in texts]


def fitted(columns: Sequence[Sequence[str]], titles: Sequence[str], left: int) -> list[list[str]]:
    """The columns, shortened so that all together take `left` characters; none is narrower than its title."""
    wanted = [max(map(len, [title, *column])) for title, column in zip(titles, columns, strict=True)]
    widths = shared_out(left, wanted, [len(title) for title in titles])
    return [shortened(column, width) for column, width in zip(columns, widths, strict=True)]


def shared_out(left: int, wanted: Sequence[int], least: Sequence[int]) -> list[int]:
    """The widths of columns of names: what each wants, or else equal parts of what the others leave, at least
    `least`."""
    widths = [0] * len(wanted)
    for place, column in enumerate(sorted(range(len(wanted)), key=lambda column: wanted[column])):
        widths[column] = max(least[column], min(wanted[column], left // (len(wanted) - place)))
        left -= widths[column]
    return widths


def _equal(short: dict[str, str]) -> list[list[str]]:
    """The texts that are shortened to the same."""
    groups: dict[str, list[str]] = {}
    for text, name in short.items():
        groups.setdefault(name, []).append(text)
    return [same for same in groups.values() if len(same) > 1]


def _around_differences(same: Sequence[str], most: int) -> dict[str, str]:
    start = _n_common(same)
    end = _n_common([text[start:][::-1] for text in same])
    texts = {}
    for text in same:
        middle = text[start : len(text) - end]
        head = max(0, most - len(middle) - 2)
        texts[text] = one_line(f"{text[:head]}…{middle}…" if head < start else f"{text[: most - 1]}…", most)
    return texts


def _n_common(texts: Sequence[str]) -> int:
    """The number of characters with which all texts start."""
    return len(list(takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))))


def _numbered(text: str, number: int, most: int) -> str:
    mark = f" #{number}"
    return one_line(text, max(1, most - len(mark))) + mark
