"""The studies: what rows show together, over nested shots and over networks that fewshot trained."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources
from fewshot.report.studies import sections

_MOST_OPEN = 24  # lines of a table that is not folded away


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    for section in sections(shown):
        yield Piece(section.title, {"study": section, "most_open": _MOST_OPEN})


SECTION = Section(
    40,
    _pieces,
    """\
{% from "macros.html.j2" import notes, plotted, scroll %}
{% for paragraph in study.paragraphs %}
<p>{{ paragraph | unbroken }}</p>
{% endfor %}
{% for plot in study.plots %}
{{ plotted(plot, " The tables have the numbers.", unbroken=true) }}
{% endfor %}
{% for table in study.tables %}
{% set folded = table.lines | length > most_open %}
{% if folded %}
<details class="printed">
<summary>{{ table.caption | unbroken }}</summary>
{% endif %}
{% call scroll(table.caption) %}
<table class="sortable study">
<thead><tr>{% for name in table.columns %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for line in table.lines %}
<tr>{% for text in line %}<td>{{ text | unbroken }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
{% if folded %}
</details>
{% else %}
<p class="caption">{{ table.caption | unbroken }}</p>
{% endif %}
{% endfor %}
{{ notes(study.remarks) }}
""",
)
