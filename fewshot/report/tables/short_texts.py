"""Texts shortened to a width, so that each still fits one text alone: what names share goes, what differs stays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from fewshot.plugins.short_name import one_line

NUMBERS_EXPLAINED = "#1, #2, ...: names that are too long for this width; a wider terminal shows them whole."
_NUMBERED = re.compile(r" #\d+$")
_PIECE = re.compile(r"[^\W\d_]+=[\w.]+|[^\W\d_]+|\d+|\W|_")  # fields such as seed=1, words, numbers, signs
_LEAST_START = 3  # letters of the first word
_LONGEST = 10_000
_Kept = tuple[str | None, ...]  # the pieces of a text; None for each that is cut


def shortened(texts: Sequence[str], most: int) -> list[str]:
    """The texts with at most so many characters. A shortened text has cuts, "…", where it shares most with the others;
    what is left of it fits no other text. Where no cuts do that, texts get numbers: see `are_numbered`."""
    whole = {text: one_line(text, _LONGEST) for text in texts}
    every = set(whole.values())
    shares = Counter(piece for text in every for piece in set(_PIECE.findall(text)))
    short = {text: line if len(line) <= most else _cut(line, most, every, shares) for text, line in whole.items()}
    for same in _equal(short):
        short |= {text: _numbered(text, number, most) for number, text in enumerate(same, 1)}
    return [short[text] for text in texts]


def are_numbered(short: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether some of these shortened texts have numbers, because nothing else tells them apart."""
    return any(a != b and _NUMBERED.search(a) is not None for a, b in zip(short, texts, strict=True))


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


def _cut(text: str, most: int, every: Collection[str], shares: Mapping[str, int]) -> str:
    """The text without the pieces that it shares with most others, as long as the rest fits no other text; with one
    cut in the middle where no pieces can go."""
    others = [other for other in every if other != text]
    kept: _Kept = tuple(_PIECE.findall(text))
    while len(_joined(kept)) > most:
        smaller = next((each for each in _without_one(kept, shares) if not _fits_any(each, others)), None)
        if smaller is None:
            start = _with_a_shorter_start(kept, most)
            return one_line(text, most) if start is None or _fits_any(start, others) else _joined(start)
        kept = smaller
    return _joined(kept)


def _without_one(kept: _Kept, shares: Mapping[str, int]) -> Iterator[_Kept]:
    """What is kept without one more piece, the longest and most shared piece first; the first one always stays."""
    length, worth = len(_joined(kept)), {}
    for at, piece in enumerate(kept):
        if at and piece is not None:
            smaller = _without_lone_signs((*kept[:at], None, *kept[at + 1 :]))
            worth[smaller] = (length - len(_joined(smaller))) * shares[piece]
    yield from sorted((each for each in worth if worth[each] > 0), key=lambda each: -worth[each])


def _without_lone_signs(kept: _Kept) -> _Kept:
    """What is kept without signs between two cuts."""
    sides = zip(kept, (kept[0], *kept), (*kept[1:], kept[-1]), strict=False)
    lone = [before is after is None and piece is not None and not piece.isalnum() for piece, before, after in sides]
    return tuple(None if alone else piece for piece, alone in zip(kept, lone, strict=True))


def _with_a_shorter_start(kept: _Kept, most: int) -> _Kept | None:
    """What is kept with so much less of its first word that it fits; None if too little would be left."""
    first, rest = str(kept[0]), (None, *kept[1:])
    left = most - len(_joined(rest))
    return (first[:left], *rest) if left >= min(_LEAST_START, len(first)) else None


def _joined(kept: _Kept) -> str:
    """The text with these pieces, with one "…" for neighbouring pieces that are cut."""
    return re.sub("\0+", "…", "".join("\0" if piece is None else piece for piece in kept))


def _fits_any(kept: _Kept, others: Collection[str]) -> bool:
    """Whether another text may be what is kept with something in place of its cuts."""
    parts = re.split("\0+", "".join("\0" if piece is None else piece for piece in kept))
    return any(_fits(parts, other) for other in others)


def _fits(parts: Sequence[str], text: str) -> bool:
    if len(parts) == 1:
        return text == parts[0]
    end = len(text) - len(parts[-1])
    if not text.startswith(parts[0]) or not text.endswith(parts[-1]) or end < len(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _equal(short: Mapping[str, str]) -> list[list[str]]:
    """The texts that are shortened to the same."""
    groups: dict[str, list[str]] = {}
    for text, name in short.items():
        groups.setdefault(name, []).append(text)
    return [same for same in groups.values() if len(same) > 1]


def _numbered(text: str, number: int, most: int) -> str:
    mark = f" #{number}"
    return one_line(text, max(1, most - len(mark))) + mark
