"""Lists in text files, two fields a line: "images/0001.jpg 3" or "1 train/0001.jpg"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fewshot.files.regular import written_text

_LONGEST = 1024  # characters of a line: a path and a label


@dataclass(frozen=True)
class PairList:
    """The two fields of each line of a list, and the place of the line, such as "test.txt, line 3"."""

    path: Path
    first: list[str]
    second: list[str]
    places: list[str]

    @staticmethod
    def read(path: Path, fields: str, spaces_first: bool = False) -> PairList:
        """The lines of a UTF-8 file without the empty ones. `fields` names both in errors, such as "path label"; the
        second field, or with `spaces_first` the first one, may contain spaces."""
        listed = PairList(path, [], [], [])
        for number, line in enumerate(_lines(path), 1):
            if len(line) > _LONGEST:
                raise ValueError(f"{path}, line {number} has {len(line):,} characters; expected two fields ({fields})")
            parts = line.rsplit(maxsplit=1) if spaces_first else line.split(maxsplit=1)
            if len(parts) == 2:
                listed.first.append(parts[0].strip())
                listed.second.append(parts[1].strip())
                listed.places.append(f"{path.name}, line {number}")
            elif parts:
                raise ValueError(f"{path}, line {number}: expected two fields ({fields}), found {line.strip()[:80]!r}")
        if not listed.first:
            raise ValueError(f"{path} is empty; expected lines of two fields ({fields})")
        return listed

    def by_first(self) -> dict[str, str]:
        """The second field by the first; a first field that occurs twice is a ValueError."""
        found: dict[str, str] = {}
        for one, other, place in zip(self.first, self.second, self.places, strict=True):
            if one in found:
                raise ValueError(f"{self.path.parent / place}: {one!r} is listed a second time; keep one line")
            found[one] = other
        return found


def numbers(values: list[str], places: list[str], folder: Path, what: str) -> list[int]:
    """The values as integers of at least 0; a ValueError names the first other one as `what`, with its place."""
    for value, place in zip(values, places, strict=True):
        if not (value.isascii() and value.isdigit()) or len(value) > 9:
            raise ValueError(f"{folder / place}: the {what} must be an integer of at least 0, found {value[:40]!r}")
    return [int(value) for value in values]


def _lines(path: Path) -> list[str]:
    return written_text(path, "list", "get the whole data set, or give its folder").split("\n")
