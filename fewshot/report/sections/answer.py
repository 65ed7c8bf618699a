"""The answer first: which run of each task is the best, whether others may be, and the ranking as dots."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.figures.ranked import ranked_plot
from fewshot.report.rows.headline import scope
from fewshot.report.rows.shares import shares
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources

_MOST, _MOST_SENTENCES = 24, 300  # rankings with dots; of the others, the sentences
_MOST_LINES = 600  # of all rankings together


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    every = sources.rankings
    most = shares([len(ranking.standings) for ranking in every[:_MOST]], _MOST_LINES)
    plots = [
        ranked_plot(ranking, shown, f"axis-{number}", of_each)
        for number, (ranking, of_each) in enumerate(zip(every[:_MOST], most, strict=True), 1)
    ]
    others = every[_MOST:]
    values = {
        "first": plots[:1],
        "folded": plots[1:],
        "others": [(ranking.task, ranking.verdict) for ranking in others[:_MOST_SENTENCES]],
        "n_untold": max(0, len(others) - _MOST_SENTENCES),
        "listing": sources.listing,
        "scope": scope(shown),
    }
    yield Piece("Which is best?", values)


SECTION = Section(
    10,
    _pieces,
    """\
{% from "macros.html.j2" import notes, ranked_lines %}
{% macro figure(cost) %}
<figure class="cost">
{{ cost.svg }}
<figcaption>{{ cost.caption }}
<ol class="frontier">
{% for place, name, accuracy, value in cost.frontier %}
<li value="{{ place }}">{{ name }}: {{ accuracy }}, {{ value }}</li>
{% endfor %}
</ol></figcaption>
</figure>
{% endmacro %}
{% macro ranking(plot) %}
<div class="ranking">
<p class="axis-line" aria-hidden="true"><span>accuracy, %</span>{{ plot.axis }}
{#- -#}
<span class="minus">{% if plot.paired %}minus best, points{% endif %}</span></p>
{% for group in plot.groups %}
{% if group.heading %}
<h4>{{ group.heading }}</h4>
{% endif %}
{{ ranked_lines(group.lines) }}
{% if group.folded %}
<details class="printed">
<summary>{{ group.folded | length }} more</summary>
{{ ranked_lines(group.folded) }}
</details>
{% endif %}
{% endfor %}
</div>
{% if plot.n_omitted %}
<p class="caption">{{ "{:,}".format(plot.n_omitted) }} less accurate runs are left out.</p>
{% endif %}
<p class="caption">{{ plot.legend }}</p>
{{ notes(plot.caveats) }}
{% for cost in plot.costs %}
{% if loop.first %}
{{ figure(cost) }}
{% else %}
<details class="printed">
<summary>Accuracy over the {{ cost.title }}</summary>
{{ figure(cost) }}
</details>
{% endif %}
{% endfor %}
{% endmacro %}
{% for plot in first %}
<p class="task">{{ plot.task | unbroken }}</p>
<p class="verdict">{{ plot.verdict }}</p>
{{ ranking(plot) }}
{% else %}
<p class="verdict">No run has an accuracy.</p>
{% endfor %}
<p class="scope">{{ scope }}</p>
{% for plot in folded %}
<details class="answer printed">
<summary><span class="task">{{ plot.task | unbroken }}</span><br>{{ plot.verdict }}</summary>
{{ ranking(plot) }}
</details>
{% endfor %}
{% if others %}
<dl class="findings">
{% for task, sentence in others %}
<div><dt>{{ task | unbroken }}</dt><dd>{{ sentence }}</dd></div>
{% endfor %}
</dl>
{% endif %}
{% if n_untold %}
<p class="caption">{{ "{:,}".format(n_untold) }} more rankings are left out;
<code>{{ listing }}</code> prints all runs.</p>
{% endif %}
""",
)
