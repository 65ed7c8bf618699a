"""The predictions of the best run of each task: calibration, classes, and the hardest episodes."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.pictures.inside import inside
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    insides = inside(shown, sources.results, sources.load)
    several = sum(each.calibration is not None for each in insides) > 1
    yield Piece("Inside the best run" + " of each task" * several, {"insides": insides})


SECTION = Section(
    60,
    _pieces,
    """\
{% from "macros.html.j2" import pictured, plotted, scroll %}
{% for inside in insides %}
{% if inside.task %}
<h3>{{ inside.task | unbroken }}</h3>
{% endif %}
<p>{{ inside.text | unbroken }}</p>
{% if inside.calibration %}
{{ plotted(inside.calibration) }}
<details class="printed">
<summary>Accuracy of each of the {{ inside.classes | length }} classes, lowest first</summary>
{% call scroll("Accuracy of each class") %}
<table class="sortable">
<thead><tr><th scope="col">class</th><th scope="col" class="number">accuracy, %</th>
{#- -#}
<th scope="col" class="number">episodes</th><th scope="col">most often confused with</th></tr></thead>
<tbody>
{% for line in inside.classes %}
<tr><th scope="row">{{ line.name }}</th>
{#- -#}
<td class="number" data-value="{{ line.accuracy }}">{{ "%.1f" | format(100 * line.accuracy) }}</td>
{#- -#}
<td class="number" data-value="{{ line.n_episodes }}">{{ line.n_episodes }}</td>
{#- -#}
<td class="classes">{{ line.taken_for }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption">Share of a class's queries that were answered correctly, averaged over the episodes with this class.
For these images only, without an interval. The lowest values are partly due to chance.</p>
</details>
<h4>The hardest episodes</h4>
<p>{{ inside.hardest_text }}</p>
{% call scroll("The hardest episodes") %}
<table class="sortable">
<thead><tr><th scope="col" class="number">episode</th><th scope="col" class="number">accuracy, %</th>
{#- -#}
<th scope="col">classes</th></tr></thead>
<tbody>
{% for line in inside.hardest %}
<tr><td class="number" data-value="{{ line.index }}">{{ line.index }}</td>
{#- -#}
<td class="number" data-value="{{ line.accuracy }}">{{ "%.1f" | format(100 * line.accuracy) }}</td>
{#- -#}
<td class="classes">{{ line.classes }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
{% for picture in inside.pictures %}
{{ pictured(picture) }}
{% endfor %}
{% endif %}
{% endfor %}
""",
)
