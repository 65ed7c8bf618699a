"""Texts shortened to a width, so that each still fits one text alone: what names share goes, what differs stays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice
from textwrap import wrap

from fewshot.plugins.short_name import one_line

NUMBERS_EXPLAINED = "#1, #2, ...: names that are too long for this width; a wider terminal shows them whole."
_NUMBERED = re.compile(r" #\d+$")
_PIECE = re.compile(r"[^\W\d_]+=[\w.]+|[^\W_]+|\W|_")  # fields such as seed=1, words and numbers, signs
_LEAST_START = 3  # letters of the first word
_LEAST_TOLD = 0.05  # by a letter of a piece that all texts have
_LONGEST = 10_000
_Kept = tuple[str | None, ...]  # the pieces of a text; None for each that is cut


def shortened(texts: Sequence[str], most: int) -> list[str]:
    """The texts with at most so many characters. A shortened text has cuts, "…", where it shares most with the others;
    what is left of it fits no other text. Where no cuts do that, texts get numbers: see `are_numbered`."""
    whole = {text: one_line(text, _LONGEST) for text in texts}
    every = dict.fromkeys(whole.values())
    counts = Counter(piece for text in every for piece in set(_PIECE.findall(text)))
    shares = {piece: count / len(every) for piece, count in counts.items()}
    short = {
        text: line if len(line) <= most else _cut(line, most, "\n".join(every), shares) for text, line in whole.items()
    }
    for same in _equal(short):
        short |= {text: _numbered(text, number, most) for number, text in enumerate(same, 1)}
    return [short[text] for text in texts]


def shortened_or_wrapped(texts: Sequence[str], most: int) -> list[str]:
    """The texts in lines of at most so many characters: shortened, or whole on several lines where some would need
    numbers."""
    short = shortened(texts, most)
    return ["\n".join(wrap(text, most)) for text in texts] if are_numbered(short, texts) else short


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


def _cut(text: str, most: int, every: str, shares: Mapping[str, float]) -> str:
    """The text without the pieces that it shares with most others, as long as the rest fits no other line of `every`;
    with one cut in the middle where no pieces can go."""
    kept: _Kept = tuple(_PIECE.findall(text))
    while len(_joined(kept)) > most:
        smaller = next((each for each in _with_one_cut_more(kept, most, shares) if _fits_one(each, every)), None)
        if smaller is None:
            start = _with_a_shorter_start(kept, most)
            return one_line(text, most) if start is None or not _fits_one(start, every) else _joined(start)
        kept = smaller
    return _joined(kept)


def _with_one_cut_more(kept: _Kept, most: int, shares: Mapping[str, float]) -> Iterator[_Kept]:
    """What is kept without one more run of pieces; first the run that gives the most room for what it tells. The first
    piece always stays."""
    length, worth = len(_joined(kept)), {}
    for low, high in combinations(range(1, len(kept) + 1), 2):
        lost = [piece for piece in kept[low:high] if piece is not None]
        smaller = _without_lone_signs((*kept[:low], *[None] * (high - low), *kept[high:]))
        room = min(length - len(_joined(smaller)), length - most)
        if room > 0:
            worth[smaller] = room / sum(len(piece) * (1 + _LEAST_TOLD - shares[piece]) for piece in lost)
    yield from sorted(worth, key=lambda each: -worth[each])


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


def _fits_one(kept: _Kept, every: str) -> bool:
    """Whether only one of these lines may be what is kept with something in place of its cuts."""
    parts = re.split("\0+", "".join("\0" if piece is None else piece for piece in kept))
    pattern = "[^\n]*".join(map(re.escape, parts))
    lines = re.finditer(f"^{pattern}$", every, re.MULTILINE)
    return len(list(islice(lines, 2))) == 1


def _equal(short: Mapping[str, str]) -> list[list[str]]:
    """The texts that are shortened to the same."""
    groups: dict[str, list[str]] = {}
    for text, name in short.items():
        groups.setdefault(name, []).append(text)
    return [same for same in groups.values() if len(same) > 1]


def _numbered(text: str, number: int, most: int) -> str:
    mark = f" #{number}"
    return one_line(text, max(1, most - len(mark))) + mark
