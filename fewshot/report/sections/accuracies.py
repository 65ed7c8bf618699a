"""The accuracies of each task as a table and curves over shots, with draws of a support and further measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fewshot.plugins.wording import agreeing, counted
from fewshot.report.figures.curves import shot_curves
from fewshot.report.figures.plots import MOST_TASKS
from fewshot.report.rows.headline import brackets
from fewshot.report.rows.intervals import THESE_IMAGES
from fewshot.report.rows.measured import MOST_LINES, Measures, measures, titles
from fewshot.report.rows.shares import shares
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task
from fewshot.report.sections import Piece, Section, Sources
from fewshot.report.tables.cost_columns import cost_columns
from fewshot.report.tables.task_table import Line, TaskTable, in_common, most_accurate_first, task_table

_MOST_TABLES = 100
_MOST_LINES = 500  # of all tables together
_MOST_DETAILED, _MOST_MEASURED = 200, 200  # of them: with texts on hover, and with further measures


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    tasks = shown.tasks[:_MOST_TABLES]
    tables = [task_table(task, shown) for task in tasks]
    further = _measured(tasks, shown)
    explained = [THESE_IMAGES, *brackets(shown)]  # in the first section
    ordered = _most_accurate(tables)
    costs = [cost_columns(task, lines, shown) for task, lines in zip(tasks, ordered, strict=True)]
    own_notes = [(*table.notes, *table.remarks, *each.notes) for table, each in zip(tables, costs, strict=True)]
    shared = in_common(own_notes)
    of_measures = in_common([each.notes for each in further if each])
    detailed = shares([len(lines) for lines in ordered], _MOST_DETAILED)
    for number, (task, table, measured) in enumerate(zip(tasks, tables, further, strict=True), 1):
        names, constant = _names(table)
        lines = ordered[number - 1]
        values = {
            "number": number,
            "names": names,
            "constant": constant,
            "table": table,
            "lines": lines,
            "n_omitted": len(table.lines) - len(lines),
            "listing": sources.listing,
            "costs": costs[number - 1],
            "notes": [note for note in own_notes[number - 1] if note not in (*shared, *explained)],
            "measures": measured,
            "measures_notes": [note for note in measured.notes if note not in of_measures] if measured else [],
            "measure_names": titles(),
            "most_detailed": detailed[number - 1],
            "curves": shot_curves(task, shown) if number <= MOST_TASKS else None,
            "shared": [],
        }
        yield Piece(table.title, values, "Accuracies")
    notes = [note for note in shared if note not in explained]
    notes += [f"Only the first {MOST_TASKS} tasks have figures."] * (len(tables) > MOST_TASKS)
    rest = len(shown.tasks) - len(tasks)
    left = f"{counted(rest, 'more task')} {agreeing(rest, 'is', 'are')} left out; {sources.listing} prints all runs."
    notes += [left] * (rest > 0)
    for title, texts in (("Notes on all tables", notes), ("What the further measures mean", of_measures)):
        if texts:
            yield Piece(title, {"shared": texts})


def _measured(tasks: Sequence[Task], shown: Shown) -> list[Measures | None]:
    """The further measures of the runs of each task."""
    most = shares([len(task.rows) for task in tasks], _MOST_MEASURED)
    return [measures(task, shown, min(of_each, MOST_LINES)) for task, of_each in zip(tasks, most, strict=True)]


def _most_accurate(tables: Sequence[TaskTable]) -> list[list[Line]]:
    """The most accurate lines of each table, and the best of each column, which would otherwise be missing."""
    most = shares([len(table.lines) for table in tables], _MOST_LINES)
    ordered = [most_accurate_first(table.lines) for table in tables]
    return [
        [line for place, line in enumerate(lines) if place < of_each or any(cell.best for cell in line.cells)]
        for lines, of_each in zip(ordered, most, strict=True)
    ]


def _names(table: TaskTable) -> tuple[list[str], str]:
    """The columns for the names of contenders, and the part of their names that all share and that has no column."""
    backbones, learners = {line.backbone for line in table.lines}, {line.learner for line in table.lines}
    if len(backbones) == 1 < len(learners):
        return ["evaluator"], backbones.pop()
    if len(learners) == 1 < len(backbones):
        return ["backbone"], learners.pop()
    return ["backbone", "evaluator"], ""


SECTION = Section(
    20,
    _pieces,
    """\
{% from "macros.html.j2" import notes as as_list, scroll %}
{% if shared %}
{{ as_list(shared) }}
{% else %}
{% call scroll("Table: " ~ table.title) %}
<table class="accuracies sortable filterable" aria-describedby="caption-{{ number }}">
<thead><tr>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}
{%- for shot in table.shots %}<th scope="col" class="number accuracy"
{%- if loop.first %} aria-sort="descending"{% endif %}>{{ shot }}</th>{% endfor -%}
<th scope="col" class="number">episodes</th>
{%- for title in costs.titles %}<th scope="col" class="number cost">{{ title }}</th>{% endfor %}</tr></thead>
<tbody>
{% for line in lines %}
{% set detailed = loop.index <= most_detailed %}
<tr data-of="{{ line.contender }}"><th scope="row"{% if detailed %} title="{{ line.title }}"{% endif %}>
{{- line.backbone if names[0] == "backbone" else line.learner }}</th>
{%- if names | length > 1 %}<td{% if detailed %} title="{{ line.title }}"{% endif %}>{{ line.learner }}</td>{% endif %}
{%- for cell in line.cells %}<td class="number accuracy"
{%- if cell.run_id %} data-of="{{ line.contender }}" data-run="{{ cell.run_id }}"{% endif %}
{%- if cell.run_id and detailed %} title="{{ cell.details }}"{% endif %}
{%- if cell.value is not none %} data-value="{{ "%.6g" | format(cell.value) }}"{% endif %}>
{%- if cell.best %}<strong>{{ cell.text }}</strong>{% else %}{{ cell.text }}{% endif %}
<span class="signs">{{ cell.signs }}</span>
{%- if cell.further %}<span class="further">{{ cell.further }}</span>{% endif %}</td>{% endfor -%}
<td class="number" data-value="{{ line.fewest_episodes }}">{{ line.n_episodes }}</td>
{%- for cost in costs.cells[loop.index0] %}<td class="number cost"
{%- if cost.value is not none %} data-value="{{ "%.4g" | format(cost.value) }}"{% endif %}>{{ cost.text }}</td>
{%- endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption" id="caption-{{ number }}">{{ table.caption }}
{%- if constant %} All runs: {{ constant }}.{% endif %}
{%- if n_omitted %} {{ "{:,}".format(n_omitted) }} less accurate lines are left out; <code>{{ listing }}</code>{# #}
 prints all runs.{% endif %}
{%- if lines | length > most_detailed %} Of {{ "{:,}".format(lines | length) }} lines the first {{ most_detailed }}{# #}
 have texts on hover; <code>fewshot results show RUN FILE</code> has every column of a run.{% endif %}</p>
{{ as_list(notes) }}
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
{% if measures.n_omitted %}
<p class="caption">{{ "{:,}".format(measures.n_omitted) }} less accurate runs omitted;
<code>fewshot results export</code>
has the measures of all runs.</p>
{% endif %}
{{ as_list(measures_notes) }}
</details>
{% endif %}
{% if curves %}
<figure class="curves">
{{ curves.svg }}
<figcaption>{{ curves.caption }}
<ol>
{% for sample, name, number in curves.legend %}
<li data-of="{{ number }}">{{ sample }} {{ loop.index }} {{ name }}</li>
{% endfor %}
</ol></figcaption>
</figure>
{% endif %}
{% endif %}
""",
)
