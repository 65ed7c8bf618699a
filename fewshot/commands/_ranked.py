"""What `fewshot run` and `fewshot bench` end with: one ranked table, its verdict, and one line of caveats."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fewshot.report.comparisons.ranking import Ranking
    from fewshot.report.rows.shown import Shown
    from fewshot.results.files import Results

_NARROWEST, _PIPE = 60, 100  # characters
_MOST_CHOICES = 6

measures_option = click.option(
    "--measures", is_flag=True, help="Print further measures, all intervals and all notes too."
)


def width() -> int:
    """The width of the terminal; 100 in a pipe. The variable COLUMNS sets it."""
    columns = shutil.get_terminal_size((_PIPE, 24)).columns if sys.stdout.isatty() else _columns()
    return max(_NARROWEST, columns)


def _columns() -> int:
    """COLUMNS, or the width of a pipe: get_terminal_size would look at the terminal behind it."""
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isascii() and given.isdigit() and int(given) else _PIPE


def ranked(shown: Shown, results: Results, measures: bool) -> str:
    """The ranked table of these rows; with `measures` also the table of further measures and all notes."""
    from fewshot.commands._results import run_table
    from fewshot.report.comparisons.ranking import rankings
    from fewshot.report.tables.ranked import ranked_table

    every = rankings(shown.rows, results.predictions)
    if not every:
        return ""
    wide = width()
    lines = [ranked_table(every, wide), *_wrapped([*_choices(shown), *_templates(shown)], wide)]
    if measures:
        return "\n".join([*lines, "", run_table(shown)])
    caveats = list(dict.fromkeys(_caveats(shown, every)))
    if caveats:
        more = f" {len(caveats) - 1} more with --measures and in the report." if len(caveats) > 1 else ""
        lines += textwrap.wrap(f"Caution: {caveats[0]}{more}", wide, break_on_hyphens=False)
    return "\n".join(lines)


def _choices(shown: Shown) -> list[str]:
    """What hyperparameters were chosen, one sentence per run; the first few."""
    from fewshot.commands._results import chosen_settings

    every = list(chosen_settings(shown))
    rest = [f"{len(every) - _MOST_CHOICES:,} more choices: --measures."] if len(every) > _MOST_CHOICES else []
    return [*every[:_MOST_CHOICES], *rest]


def _templates(shown: Shown) -> list[str]:
    """The templates that turned class names into texts, one sentence for each backbone."""
    used: dict[str, dict[str, None]] = {}
    for row in shown.done:
        if row.templates:
            used.setdefault(shown.name(row).backbone, {})[row.templates] = None
    return [f"Class names of {name} as: {'; '.join(templates)}" for name, templates in used.items()]


def _caveats(shown: Shown, rankings: Sequence[Ranking]) -> Iterator[str]:
    """What to know before trusting the table, the gravest first, one sentence each."""
    from fewshot.plugins.wording import counted
    from fewshot.report.comparisons.verdicts import caution
    from fewshot.report.rows import intervals
    from fewshot.report.rows.wording import unequal_queries

    for ranking in rankings:
        yield from ranking.suspicions
    done = shown.done
    seen = {shown.name(row).backbone for row in done if row.seen_classes == "seen"}
    if seen:
        yield f"{counted(len(seen), 'backbone')} saw some of the test classes in training."
    unequal = [text for row in done if (text := unequal_queries(row))]
    if unequal:
        text = (
            unequal[0]
            if len(unequal) == 1
            else "classes have unequally many queries; the report has the means per class"
        )
        yield f"{text[:1].upper()}{text[1:]}."
    for ranking in rankings:
        yield from ranking.caveats
        unfair = caution([standing.row for standing in ranking.standings])
        if unfair:
            text = unfair.removeprefix("Caution: ")
            yield text[:1].upper() + text[1:]
    lacking = intervals.without(done)
    if lacking and not any(ranking.caveats for ranking in rankings):
        yield from lacking
    if any(row.n_not_converged for row in done) and len(done) == 1:
        yield "Some episodes did not converge."


def _wrapped(sentences: Sequence[str], wide: int) -> list[str]:
    return [line for text in sentences for line in textwrap.wrap(text, wide, break_on_hyphens=False)]
