"""Rows and comparisons as HTML for notebooks: bounded in size, and every text from data escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fewshot.notebooks.compared import HEADER, LEGEND, lines
from fewshot.notebooks.frames import table
from fewshot.report.comparisons.ranking import Ranking
from fewshot.results.row import Row

_MOST_LINES = 50  # of a table
_MOST_TABLES = 12
_LONGEST = 200  # characters of a cell


def rows_html(rows: Sequence[Row]) -> str:
    """A table of rows."""
    return _table(*table(rows)) if rows else "<p>no rows</p>"


def compared_html(rankings: Sequence[Ranking]) -> str:
    """The verdict and the table of each ranking."""
    parts = []
    for ranking in rankings[:_MOST_TABLES]:
        notes = "".join(f"<p><small>{escape(text)}</small></p>" for text in (LEGEND, *ranking.caveats))
        parts.append(
            f"<p>{escape(ranking.task)}<br><b>{escape(ranking.verdict)}</b></p>{_table(HEADER, lines(ranking))}{notes}"
        )
    if len(rankings) > _MOST_TABLES:
        parts.append(f"<p>and {len(rankings) - _MOST_TABLES:,} more rankings; print() shows them all</p>")
    return "".join(parts)


def _table(header: Iterable[str], body: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    cells = "".join(f"<tr>{''.join(map(_cell, line))}</tr>" for line in body[:_MOST_LINES])
    more = f"<p>and {len(body) - _MOST_LINES:,} more; print() shows them all</p>" if len(body) > _MOST_LINES else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>{more}"


def _cell(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f'<td style="text-align:left">{escape(short)}</td>'
