"""The runs that failed, each with its error."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.report.sections import Piece, Section, Sources
from fewshot.results.row import Row
from fewshot.results.row_specs import data_name


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    if shown.failed:
        yield Piece("Failed runs", {"failures": [_failure(row, shown) for row in shown.failed]})


def _failure(row: Row, shown: Shown) -> tuple[str, str, str, str]:
    """What was run, on what, the error, and the specs."""
    specs = (row.dataset, row.sampler, row.backbone, row.transform, row.evaluator)
    task = f"{data_name(row)}, {shot_label(row)}"
    return task, shown.name(row).whole, row.error or "no message", "\n".join(filter(None, specs))


SECTION = Section(
    70,
    _pieces,
    """\
{% from "macros.html.j2" import scroll %}
{% call scroll("Failed runs") %}
<table class="sortable">
<thead><tr><th scope="col">task</th><th scope="col">run</th><th scope="col">error</th></tr></thead>
<tbody>
{% for task, run, error, specs in failures %}
<tr><td>{{ task }}</td><td title="{{ specs }}">{{ run }}</td><td class="error">{{ error }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
""",
)
