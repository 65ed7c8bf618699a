"""Tables as HTML for notebooks: bounded in size, and every text from data escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_MOST_LINES = 50
_LONGEST = 200  # characters of a cell


def table_html(header: Iterable[str], body: Sequence[Sequence[str]]) -> str:
    """A table of at most 50 lines."""
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    cells = "".join(f"<tr>{''.join(map(_cell, line))}</tr>" for line in body[:_MOST_LINES])
    more = f"<p>and {len(body) - _MOST_LINES:,} more; print() shows them all</p>" if len(body) > _MOST_LINES else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>{more}"


def _cell(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f'<td style="text-align:left">{escape(short)}</td>'
