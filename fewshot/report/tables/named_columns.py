"""A table for a terminal: names on the left, then columns of texts, in several blocks where one is too wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fewshot.report.tables.short_texts import shortened

_SHORTEST = 12  # characters of a name
_GAP = "  "


class Column(NamedTuple):
    """A column of a table: its title, and a text for every line."""

    title: str
    texts: Sequence[str]

    @property
    def width(self) -> int:
        """Its characters, with the gap on its left."""
        return len(_GAP) + max(map(len, (self.title, *self.texts)))


def named_columns(corner: str, names: Sequence[str], columns: Sequence[Column], width: int) -> str:
    """The table; columns that do not fit beside the others continue below them, with the names again. `corner`: the
    title of the names."""
    blocks = list(_blocks(columns, width - _SHORTEST))
    room = width - max(sum(column.width for column in block) for block in blocks)
    short = [corner, *shortened(names, max(_SHORTEST, room))]
    longest = max(map(len, short))
    return "\n\n".join("\n".join(_lines([name.ljust(longest) for name in short], block)) for block in blocks)


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """As many columns as fit, in turn; at least one."""
    block: list[Column] = []
    for column in columns:
        if block and sum(each.width for each in (*block, column)) > width:
            yield block
            block = []
        block.append(column)
    yield block


def _lines(names: Sequence[str], block: Sequence[Column]) -> Iterator[str]:
    for number, name in enumerate(names):
        texts = (column.title if number == 0 else column.texts[number - 1] for column in block)
        padded = (text.rjust(column.width) for text, column in zip(texts, block, strict=True))
        yield "".join([name, *padded]).rstrip()
