"""Rows to one HTML page that needs nothing else: no network, no torch; scripts only to sort and to highlight.

rows/         the rows with what is derived from all of them (shown.py), their tasks, contenders, notes and origins
tables/       tables of accuracies, for page, terminal and README
figures/      plots as inline SVG
comparisons/  pairs of runs on the episodes that both solved: in tables, sentences, matrices and cards
studies/      what rows say together about scaling and transfer
pictures/     episodes and duplicates as pictures
sections/     ONE FILE PER SECTION OF THE PAGE
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.files.atomic import write_atomically
from fewshot.results.files import Results

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from fewshot.report.rows.images import RowImages
    from fewshot.report.rows.shown import Shown
    from fewshot.report.sections import Piece, Sources

_FOLDER = Path(__file__).parent


def write_report(
    shown: Shown, path: Path, results: Results | None, title: str, images: RowImages | None = None
) -> None:
    """Writes the page of these rows, whole or not at all; the same rows give the same bytes.

    `results` is where the predictions are: without it, or without them, the page shows no episode and says so.
    `images` says which data may be read for pictures (None: only those of runs that were made on this machine).
    """
    write_atomically(path, page(shown, results, title, images).encode("utf-8", "replace"))


def page(shown: Shown, results: Results | None, title: str, images: RowImages | None = None) -> str:
    """The page as text. Everything that rows or images name is escaped."""
    from markupsafe import Markup

    from fewshot.report.rows.headline import compared
    from fewshot.report.rows.images import RowImages
    from fewshot.report.rows.origins import protocols
    from fewshot.report.sections import Sources

    sources = Sources(results, (images or RowImages()).load)
    environment, script = _environment(), (_FOLDER / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        title=title,
        css=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_digest=_digest(script),
        protocols=protocols(shown),
        compared=compared(shown),
        pieces=_pieces(environment, shown, sources),
    )


def _pieces(environment: Environment, shown: Shown, sources: Sources) -> Iterator[tuple[Piece, Markup]]:
    """The pieces of all sections, each with its HTML."""
    from markupsafe import Markup

    from fewshot.report.sections import sections

    for section in sections():
        template = environment.from_string(section.template)
        for piece in section.pieces(shown, sources):
            yield piece, Markup(template.render(piece.values))


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = lambda text: text.replace("-way", "‑way")  # a hyphen at which no line ends
    return environment


def _digest(script: str) -> str:
    """What the page's policy allows to run: this script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
