"""The accuracies of each task as a table and figures, with draws of a support and further measures."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.figures.curves import shot_curves
from fewshot.report.figures.dots import dot_plot
from fewshot.report.figures.plots import MOST_TASKS, Plot
from fewshot.report.rows.intervals import THESE_IMAGES, brackets
from fewshot.report.rows.measured import measures, titles
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task
from fewshot.report.sections import Piece, Section, Sources
from fewshot.report.tables.task_table import comparison, in_common

_MOST_BESIDE = 4  # shots of a table with a column of notes; with more, notes stand below


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    tables, further = comparison(shown), [measures(task, shown) for task in shown.tasks]
    explained = [THESE_IMAGES, *brackets(shown.done)]  # in the first section
    shared, of_measures = (
        in_common([each.notes for each in tables]),
        in_common([each.notes for each in further if each]),
    )
    for number, (task, table, measured) in enumerate(zip(shown.tasks, tables, further, strict=True), 1):
        values = {
            "number": number,
            "table": table,
            "notes": [note for note in table.notes if note not in (*shared, *explained)],
            "wide": len(table.shots) > _MOST_BESIDE,
            "measures": measured,
            "measures_notes": [note for note in measured.notes if note not in of_measures] if measured else [],
            "measure_names": titles(),
            "plots": _plots(task, number, shown) if number <= MOST_TASKS else [],
            "shared": [],
        }
        yield Piece(table.title, values)
    notes = [note for note in shared if note not in explained]
    notes += [f"Only the first {MOST_TASKS} tasks have figures."] * (len(tables) > MOST_TASKS)
    for title, texts in (("Notes on all tables", notes), ("What the further measures mean", of_measures)):
        if texts:
            yield Piece(title, {"shared": texts})


def _plots(task: Task, number: int, shown: Shown) -> list[Plot]:
    """The figures of a task. Its number keeps their ids apart."""
    plots = dot_plot(task, shown, f"dots-{number}"), shot_curves(task, shown, f"curves-{number}")
    return list(filter(None, plots))


SECTION = Section(
    20,
    _pieces,
    """\
{% from "macros.html.j2" import notes as as_list, plotted, scroll %}
{% if shared %}
{{ as_list(shared) }}
{% else %}
{% call scroll("Accuracies: " ~ table.title) %}
<table class="accuracies sortable{% if wide %} wide{% endif %}" aria-describedby="caption-{{ number }}">
<thead><tr><th scope="col">backbone</th><th scope="col">evaluator</th>
{%- for shot in table.shots %}<th scope="col" class="number accuracy">{{ shot }}</th>{% endfor -%}
<th scope="col" class="number">episodes</th>{% if not wide %}<th scope="col">notes</th>{% endif %}</tr></thead>
<tbody>
{% for line in table.lines %}
{% set again = not loop.first and line.backbone == loop.previtem.backbone %}
<tr data-of="{{ line.contender }}"{% if not (loop.first or again) %} class="group"{% endif %}>
<th scope="row"{% if again %} class="again"{% endif %} title="{{ line.title }}">{{ line.backbone }}</th>
{#- -#}
<td title="{{ line.title }}">{{ line.learner }}</td>
{%- for cell in line.cells %}<td class="number accuracy"
{%- if cell.run_id %} data-of="{{ line.contender }}" data-run="{{ cell.run_id }}" title="{{ cell.details }}"{% endif %}
{%- if cell.value is not none %} data-value="{{ cell.value }}"{% endif %}>
{%- if cell.best %}<strong>{{ cell.text }}</strong>{% else %}{{ cell.text }}{% endif %}
<span class="signs">{{ cell.signs }}</span>
{%- if cell.further %}<span class="further">{{ cell.further }}</span>{% endif %}</td>{% endfor -%}
<td class="number" data-value="{{ line.fewest_episodes }}">{{ line.n_episodes }}</td>
{%- if not wide %}<td class="notes">{{ line.notes | join("; ") }}</td>{% endif %}
</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption" id="caption-{{ number }}">{{ table.caption }}</p>
{{ as_list(notes + (table.remarks if wide else [])) }}
{% if table.draws %}
<details class="printed">
<summary>Accuracy of each draw</summary>
{% call scroll("Draws: " ~ table.title) %}
<table class="sortable measures">
<thead><tr><th scope="col">backbone</th><th scope="col">evaluator</th><th scope="col">shots</th>
{#- -#}
<th scope="col">median (range)</th><th scope="col">each draw</th></tr></thead>
<tbody>
{% for line in table.draws %}
<tr><th scope="row">{{ line.backbone }}</th><td>{{ line.learner }}</td><td>{{ line.shot }}</td>
{#- -#}
<td>{{ line.median }}</td><td>{{ line.points }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption">{{ table.draws_caption }}</p>
</details>
{% endif %}
{% if measures %}
<details class="printed">
<summary>Further measures</summary>
{% call scroll("Measures: " ~ table.title) %}
<table class="sortable measures">
<thead><tr><th scope="col">backbone</th><th scope="col">evaluator</th><th scope="col">shots</th>
{%- for name in measure_names %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for line in measures.lines %}
<tr><th scope="row">{{ line.backbone }}</th><td>{{ line.learner }}</td><td>{{ line.shot }}</td>
{%- for value in line.values %}<td>{{ value.text }}
{%- if value.bounds %}<span class="further">{{ value.bounds }}</span>{% endif %}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
{{ as_list(measures_notes) }}
</details>
{% endif %}
{% for plot in plots %}
{{ plotted(plot, " " ~ table.title ~ "; the table has the numbers.") }}
{% endfor %}
{% endif %}
""",
)
