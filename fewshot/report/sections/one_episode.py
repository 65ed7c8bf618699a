"""One episode of the best run of the first task as a picture, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.pictures.example import example
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    yield Piece("One episode", {"example": example(shown, sources.results, sources.load)})


SECTION = Section(
    15,
    _pieces,
    """\
{% from "macros.html.j2" import pictured %}
{{ pictured(example) }}
""",
)
