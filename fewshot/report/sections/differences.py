"""The best run of each task against its closest rivals in sentences, and all pairs of the most accurate runs."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.comparisons.matrices import matrices
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources
from fewshot.report.tables.task_table import in_common


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    every = matrices(shown, sources.results)
    shared = in_common([matrix.caption + matrix.remarks for matrix in every if matrix.lines])
    own = [[note for note in matrix.caption + matrix.remarks if note not in shared] for matrix in every]
    if every:
        yield Piece("Is the difference real?", {"matrices": zip(every, own, strict=True), "shared": shared})


SECTION = Section(
    30,
    _pieces,
    """\
{% from "macros.html.j2" import columns, notes, scroll %}
{% for matrix, own in matrices %}
{% if matrix.title %}
<h3>{{ matrix.title | unbroken }}</h3>
{% endif %}
{% if matrix.lines %}
{% set caption_id = "matrix-" ~ loop.index %}
{% for card in matrix.cards %}
<details class="claim">
<summary>{{ card.sentence }}</summary>
{{ columns(card.fields) }}
</details>
{% endfor %}
{% if not loop.first %}
<details class="printed">
<summary>All pairs of {{ matrix.lines | length }} runs</summary>
{% endif %}
{% call scroll("Pairs: " ~ matrix.title) %}
<table class="matrix" aria-describedby="{{ caption_id }}">
<thead><tr><th scope="col">run</th><th scope="col" class="number">accuracy</th>
{%- for line in matrix.lines %}<th scope="col" title="{{ line.name }}">
{#- -#}
<span aria-hidden="true">− {{ line.number }}</span><span class="unseen">minus {{ line.name }}</span></th>{% endfor -%}
</tr></thead>
<tbody>
{% for line in matrix.lines %}
<tr><th scope="row"><span class="faint">{{ line.number }}</span> {{ line.name }}</th>
{#- -#}
<td class="number">{{ line.accuracy }}</td>
{%- for cell in line.cells %}<td class="pair {{ cell.style }}" title="{{ cell.sentence }}">
{%- if cell.text %}<b>{{ cell.text }}</b><br>{{ cell.interval }}{% endif %}</td>{% endfor -%}
</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<div id="{{ caption_id }}">
{{ notes(own) }}
</div>
{% if not loop.first %}
</details>
{% endif %}
{% else %}
<p class="caption">{{ matrix.reason }}</p>
{% endif %}
{% endfor %}
{{ notes(shared) }}
""",
)
