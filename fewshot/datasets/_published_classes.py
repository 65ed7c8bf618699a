"""The classes of published splits, and which classes of a data set they are.

The lists lie in data/published_splits, one file per split, with their source and licence. Copies of a data set spell
its classes in many ways, so names are compared by several keys, the most specific first.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from fewshot.data import FOLDER

_SPLITS = FOLDER / "published_splits"
PARTS = ("seen", "validation", "novel")
_SYNSET = re.compile(r"n\d{8}(?!\d)")
_NUMBER = re.compile(r"\d{1,4}[._ -]+(?=.)")


@dataclass(frozen=True)
class PublishedSplit:
    """A class split as published: `seen`, `validation` and `novel` hold class names as its source spells them."""

    name: str
    title: str
    source: str
    licence: str
    seen: tuple[str, ...]
    validation: tuple[str, ...]
    novel: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of all its classes."""
        return self.seen + self.validation + self.novel


def published_names() -> list[str]:
    """The names of all published splits that come with fewshot."""
    return sorted(path.stem for path in _SPLITS.glob("*.json"))


@cache
def published_split(name: str) -> PublishedSplit:
    """The published split with this name; an unknown name is a ValueError that lists the known ones."""
    if name not in published_names():
        raise ValueError(f"unknown published split {name!r}; known: {', '.join(published_names())}")
    content = json.loads((_SPLITS / f"{name}.json").read_text(encoding="utf-8"))
    parts = (tuple(content[part]) for part in PARTS)
    return PublishedSplit(name, content["title"], content["source"], content["licence"], *parts)


def matched(listed: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The class of a data set, of these `names`, for every listed class that has exactly one.

    Two names match if they are equal; if they hold one synset id (n01532829); if they differ only in case, accents and
    separators; if the end of one path is the other (aquatic_mammals/dolphin and dolphin); or if they then differ only
    by a number before them (001.Black_footed_Albatross). Bare numbers match only if both sides have the same numbers.
    """
    found: dict[str, str] = {}
    for key in _KEYS:
        left = _unique(key, (one for one in listed if one not in found))
        taken = set(found.values())
        right = _unique(key, (name for name in names if name not in taken))
        found.update({one: right[same] for same, one in left.items() if same in right})
    return found or _by_number(listed, names)


def _unique(key: Callable[[str], str | None], names: Iterable[str]) -> dict[str, str]:
    """The name for every key that only one name has."""
    holders: dict[str, list[str]] = {}
    for name in names:
        value = key(name)
        if value:
            holders.setdefault(value, []).append(name)
    return {value: some[0] for value, some in holders.items() if len(some) == 1}


def _by_number(listed: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    ours = {int(name): name for name in names if name.isdecimal()}
    theirs = {int(number.group(1)): one for one in listed if (number := re.match(r"(\d{1,4})\.", one))}
    whole = len(theirs) == len(listed) and len(ours) == len(names) and ours.keys() == theirs.keys()
    return {one: ours[number] for number, one in theirs.items()} if whole else {}


def _synset(name: str) -> str | None:
    found = _SYNSET.search(name)
    return found.group() if found else None


def _plain(name: str) -> str:
    """The name in lower case, without accents, with single spaces between its words."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]+", " ", "".join(one for one in letters if not unicodedata.combining(one))).strip()


def _last(name: str) -> str:
    return _plain(name.rstrip("/").rpartition("/")[2])


def _last_two(name: str) -> str | None:
    parts = name.strip("/").split("/")
    return _plain("/".join(parts[-2:])) if len(parts) > 1 else None


def _unnumbered(name: str) -> str:
    return _plain(_NUMBER.sub("", name.rpartition("/")[2], count=1))


_KEYS: tuple[Callable[[str], str | None], ...] = (str, _synset, _plain, _last_two, _last, _unnumbered)
