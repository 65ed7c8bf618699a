"""The means of benchmarks of the field over their data sets, ranked: the numbers that papers compare, first."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources
from fewshot.report.tables.benchmark_table import benchmark_table


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    for number, one in enumerate(sources.benchmarks, 1):
        table = benchmark_table(one, shown.costs)
        yield Piece(table.title, {"number": number, "table": table}, "Benchmark means")


TEMPLATE = """\
{% from "macros.html.j2" import scroll %}
{% macro cell(one, title, strong=false) -%}
<td class="number" data-title="{{ title }}"{% if one.value is not none %} data-value="{{ one.value }}"{% endif %}>
{%- if strong %}<strong>{{ one.text }}</strong>{% else %}{{ one.text }}{% endif %}
{%- if one.bounds %}<span class="further">{{ one.bounds }}</span>{% endif %}</td>
{%- endmacro %}
{% macro words(one, title) -%}
<td data-title="{{ title }}">
{%- if one.url %}<a href="{{ one.url }}" rel="noopener noreferrer nofollow">{{ one.text }}</a>
{%- else %}{{ one.text }}{% endif %}
{%- for text in one.further %}<span class="further">{{ text }}</span>{% endfor %}</td>
{%- endmacro %}
<p class="verdict">{{ table.verdict }}</p>
{% call scroll("Means: " ~ table.title) %}
<table class="accuracies stacked sortable{{ " board" if table.columns }}{{ " filterable" if table.lines | length > 5 }}"
 aria-describedby="means-{{ number }}">
<thead><tr><th scope="col">method</th><th scope="col" class="number">mean of {{ table.mean }}</th>
{%- if table.lines | length > 1 %}<th scope="col" class="number">minus best</th>{% endif %}
{%- for name in table.groups %}<th scope="col" class="number">{{ name }}</th>{% endfor %}
{%- for name in table.costs %}<th scope="col" class="number cost">{{ name }}</th>{% endfor %}
{%- for name in table.columns %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for line in table.lines %}
<tr><th scope="row"><span class="rank">{{ line.place }}.</span> {{ line.name }}
{%- if line.sign %} <span class="signs">{{ line.sign }}</span>{% endif %}
{%- for text in line.remarks %}<span class="further">{{ text }}</span>{% endfor %}</th>
{{- cell(line.mean, "mean of " ~ table.mean, line.is_best) }}
{%- if table.lines | length > 1 %}{{ cell(line.minus, "minus best") }}{% endif %}
{%- for one in line.groups %}{{ cell(one, table.groups[loop.index0]) }}{% endfor %}
{%- for one in line.costs %}{{ cell(one, table.costs[loop.index0]) }}{% endfor %}
{%- for one in line.texts %}{{ words(one, table.columns[loop.index0]) }}{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption" id="means-{{ number }}">{{ table.caption }}</p>
<details class="printed">
<summary>Each of the {{ table.sets | length }} sets</summary>
{% call scroll("Sets: " ~ table.title) %}
<table class="stacked sortable measures">
<thead><tr><th scope="col">method</th>
{%- for name in table.sets %}<th scope="col" class="number">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for line in table.lines %}
<tr><th scope="row">{{ line.name }}</th>
{%- for one in line.sets %}{{ cell(one, table.sets[loop.index0]) }}{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
</details>
"""
SECTION = Section(5, _pieces, TEMPLATE)
