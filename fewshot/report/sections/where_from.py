"""Where the numbers come from: every run with its columns and the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.report.rows.origins import origins, shared, written_out
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources

_MOST_OPEN = 20  # runs that are not folded away
_MOST_TOLD = 10  # runs with two accuracies


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    common = shared(shown)
    values = {
        "unreadable": _unreadable(sources),
        "written_out": written_out(shown),
        "shared": common,
        "origins": origins(shown, common),
        "most_open": _MOST_OPEN,
    }
    yield Piece("Where the numbers come from", values)


def _unreadable(sources: Sources) -> str:
    """How many lines of the results file are not rows, and which runs have two accuracies; "" if there are none."""
    if sources.results is None:
        return ""
    count, told = sources.results.n_unreadable, [one.sentence for one in sources.results.disagreements]
    lines = "1 line" if count == 1 else f"{count} lines"
    unread = (
        [f"{lines} of the results file cannot be read and {'is' if count == 1 else 'are'} left out"] if count else []
    )
    more = [f"{len(told) - _MOST_TOLD} more runs have two accuracies"] if len(told) > _MOST_TOLD else []
    return "".join(f"{one[0].upper()}{one[1:]}. " for one in [*unread, *told[:_MOST_TOLD], *more]).strip()


SECTION = Section(
    80,
    _pieces,
    """\
{% from "macros.html.j2" import columns %}
{% if unreadable %}
<p class="warning">{{ unreadable }}</p>
{% endif %}
{% if written_out %}
<details class="printed">
<summary>Short names written out</summary>
{{ columns(written_out) }}
</details>
{% endif %}
{% if shared %}
<details class="printed">
<summary>The same for all {{ origins | length }} runs</summary>
{{ columns(shared) }}
</details>
{% endif %}
{% set folded = origins | length > most_open %}
{% if folded %}
<details class="printed">
<summary>Each of the {{ origins | length }} runs</summary>
{% endif %}
{% for origin in origins %}
<details>
<summary>{{ origin.heading }} <span class="faint">{{ origin.accuracy }} · {{ origin.run_id }}</span></summary>
<pre>{{ origin.command }}</pre>
{{ columns(origin.columns) }}
</details>
{% endfor %}
{% if folded %}
</details>
{% endif %}
""",
)
