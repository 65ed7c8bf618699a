"""Where the numbers come from: every run with its columns and the command that reproduces it."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot.plugins.wording import counted
from fewshot.report.rows.origins import full_specs, origins, shared
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece, Section, Sources

_MOST_OPEN = 20  # runs that are not folded away
_MOST = 200  # runs in a report; each takes a kilobyte
_MOST_TOLD = 10  # runs with two accuracies


def _pieces(shown: Shown, sources: Sources) -> Iterator[Piece]:
    common = shared(shown)
    values = {
        "unreadable": _unreadable(sources),
        "full_specs": full_specs(shown),
        "shared": common,
        "origins": origins(shown.done[:_MOST], shown, common),
        "n_done": len(shown.done),
        "listing": sources.listing,
        "most_open": _MOST_OPEN,
    }
    yield Piece("Where the numbers come from", values)


def _unreadable(sources: Sources) -> str:
    """How many lines of the results file cannot be read, and which runs have two accuracies; "" for none."""
    if sources.results is None:
        return ""
    count, sentences = sources.results.n_unreadable, [one.sentence for one in sources.results.disagreements]
    unread = [f"Warning: skipped {counted(count, 'unreadable line')} of the results file"] if count else []
    rest = len(sentences) - _MOST_TOLD
    more = [f"{counted(rest, 'more run')} with two accuracies"] if rest > 0 else []
    return "".join(f"{one[0].upper()}{one[1:]}. " for one in [*unread, *sentences[:_MOST_TOLD], *more]).strip()


SECTION = Section(
    80,
    _pieces,
    """\
{% from "macros.html.j2" import columns %}
{% if unreadable %}
<p class="warning">{{ unreadable }}</p>
{% endif %}
{% if full_specs %}
<details class="printed">
<summary>Full specs of the short names</summary>
{{ columns(full_specs) }}
</details>
{% endif %}
{% if shared %}
<details class="printed">
<summary>Columns with one value in all {{ "{:,}".format(n_done) }} runs</summary>
{{ columns(shared) }}
</details>
{% endif %}
{% set folded = origins | length > most_open %}
{% if folded %}
<details class="printed">
<summary>{{ "All" if n_done == origins | length else "The first" }} {{ "{:,}".format(origins | length) }} runs</summary>
{% endif %}
{% for origin in origins %}
<details>
<summary>{{ origin.heading }} <span class="faint">{{ origin.accuracy }} · {{ origin.run_id }}</span></summary>
<pre class="command">{{ origin.command }}</pre>
{{ columns(origin.columns) }}
</details>
{% endfor %}
{% if folded %}
</details>
{% endif %}
{% if n_done > origins | length %}
<p class="caption"><code>{{ listing }}</code> prints all {{ "{:,}".format(n_done) }} runs, and
<code>fewshot results show RUN FILE</code> every column of a run.</p>
{% endif %}
""",
)
