"""The best run of each task in a sentence, and what the intervals are for."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.rows.headline import findings, scope
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    yield Piece("", {"findings": findings(shown), "scope": scope(shown)}, "Best runs")


SECTION = Section(
    10,
    _pieces,
    """\
<dl class="findings">
{% for task, sentence in findings %}
<div><dt>{{ task | unbroken }}</dt><dd>{{ sentence }}</dd></div>
{% endfor %}
</dl>
<p class="scope">{{ scope }}</p>
""",
)
