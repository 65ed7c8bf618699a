"""The HTML report of rows. It needs no network and no torch; its script only sorts, filters, highlights and copies.

rows/         the rows with everything derived from them: tasks, contenders, intervals, notes and origins
tables/       tables of accuracies, for HTML, terminal and README
figures/      plots as inline SVG
comparisons/  pairs of runs on the episodes that both solved: tables, sentences, matrices and cards
studies/      what rows show together about scaling and transfer
pictures/     episodes and duplicates as pictures
sections/     ONE FILE PER SECTION OF THE REPORT
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fewshot.files.atomic import write_atomically
from fewshot.results.files import Results

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from fewshot.report.rows.images import RowImages
    from fewshot.report.rows.shown import Shown
    from fewshot.report.sections import Piece, Sources

_FOLDER = Path(__file__).parent
_MOST_SETS = 3  # data sets in a title


def write_report(
    shown: Shown, path: Path, results: Results | None, title: str, images: RowImages | None = None
) -> None:
    """Writes the report of these rows, completely or not at all; the same rows give the same bytes.

    `results` locates the predictions. Without them the report shows no episode, and says so. `images` says which data
    may be read for pictures (None: only that of runs that were made on this machine).
    """
    write_atomically(path, page(shown, results, title, images).encode("utf-8", "replace"))


def page_title(shown: Shown, files: Sequence[str]) -> str:
    """The data of the rows, then the names of their files: "icons mono and birds (runs)"."""
    from fewshot.results.row_specs import data_name

    sets = list(dict.fromkeys(data_name(row) for row in shown.done))
    more = [f"{len(sets) - _MOST_SETS} more"] if len(sets) > _MOST_SETS else []
    names = [*sets[:_MOST_SETS], *more]
    data = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    return f"{data} ({', '.join(files)})" if data else ", ".join(files)


def page(shown: Shown, results: Results | None, title: str, images: RowImages | None = None) -> str:
    """The report as HTML. All names from rows and images are escaped."""
    from fewshot.report.comparisons.benchmark_ranking import benchmark_rankings_of
    from fewshot.report.comparisons.ranking import rankings_of
    from fewshot.report.rows.headline import compared
    from fewshot.report.rows.images import RowImages
    from fewshot.report.rows.origins import protocols
    from fewshot.report.sections import Sources

    predictions = results.predictions if results else None
    rankings = rankings_of(shown, predictions)
    benchmarks = benchmark_rankings_of(shown, rankings, predictions)
    shown = replace(shown, leaders=frozenset(one.row.run_id for ranking in rankings for one in ranking.group))
    sources = Sources(results, (images or RowImages()).load, tuple(rankings), tuple(benchmarks))
    return framed(title, protocols(shown), compared(shown), _parts(shown, sources))


def framed(title: str, protocols: Iterable[str], lead: str, parts: Iterable[Part]) -> str:
    """A whole page with these parts: one head, one style, one script for every page of fewshot."""
    from markupsafe import Markup

    script, parts = (_FOLDER / "page.js").read_text(encoding="utf-8"), list(parts)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            css=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_digest=_digest(script),
            protocols=list(protocols),
            compared=lead,
            contents=[(part.name, part.pieces[0][0].contents or part.pieces[0][0].title) for part in parts],
            parts=parts,
        )
    )


class Part(NamedTuple):
    """A section in the report: its anchor, and its pieces with their HTML."""

    name: str
    pieces: list[tuple[Piece, Markup]]


def _parts(shown: Shown, sources: Sources) -> Iterator[Part]:
    """The sections that have pieces."""
    from markupsafe import Markup

    from fewshot.report.sections import sections

    of_page = environment()
    for name, section in sections().items():
        template = of_page.from_string(section.template)
        pieces = [(piece, Markup(template.render(piece.values))) for piece in section.pieces(shown, sources)]
        if pieces:
            yield Part(name.replace("_", "-"), pieces)


def environment() -> Environment:
    """The templates of pages. Every value in them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["unbroken"] = lambda text: text.replace("-way", "‑way")  # a hyphen that does not break lines
    return made


def _digest(script: str) -> str:
    """The digest in the policy of the report, which allows this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
