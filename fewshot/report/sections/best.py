"""What did best on each task, in a sentence, and what the intervals speak of."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.rows.headline import findings, speaks_of
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    yield Piece("", {"findings": findings(shown), "speaks_of": speaks_of(shown)}, "What did best")


SECTION = Section(
    10,
    _pieces,
    """\
<dl class="findings">
{% for task, sentence in findings %}
<div><dt>{{ task | unbroken }}</dt><dd>{{ sentence }}</dd></div>
{% endfor %}
</dl>
<p class="scope">{{ speaks_of }}</p>
""",
)
