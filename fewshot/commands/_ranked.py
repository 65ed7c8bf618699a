"""What `fewshot run` and `fewshot bench` end with: one ranked table, its verdict, and its cautions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from fewshot.files.terminal import width
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.report.rows.shown import Shown
    from fewshot.results.files import Results
    from fewshot.results.row import Row
    from fewshot.runs.specs import RunSpec

_MOST_CHOICES = 6

measures_option = click.option(
    "--measures", is_flag=True, help="Print further measures, all intervals and all notes too."
)


def ranked(shown: Shown, results: Results, measures: bool) -> str:
    """The ranked table of these rows; with `measures` also the table of further measures and all notes."""
    from fewshot.commands._results import run_table
    from fewshot.report.tables.ranked import ranked_text

    wide = width()
    table = ranked_text(shown, results.predictions, wide)
    if not table:
        return ""
    lines = [table, *_wrapped([*([] if measures else _choices(shown)), *_templates(shown)], wide)]
    return "\n".join([*lines, "", run_table(shown)] if measures else lines)


def larger_than_asked(rows: Iterable[tuple[RunSpec, Row | None]]) -> str:
    """A sentence if results files hold more episodes of some runs than were asked for; else ""."""
    more = [(spec.n_episodes, row.n_episodes) for spec, row in rows if row is not None and _is_larger(spec, row)]
    if not more:
        return ""
    asked, stored = max(count for count, _ in more), max(count for _, count in more)
    return (
        f"{counted(len(more), 'run')} had {stored:,} stored episodes already, more than the {asked:,} of --episodes; "
        "the table shows all of them."
    )


def _is_larger(spec: RunSpec, row: Row) -> bool:
    from fewshot.runs.specs import Sampled

    return isinstance(spec.episodes, Sampled) and row.n_episodes > spec.n_episodes


def _choices(shown: Shown) -> list[str]:
    """What hyperparameters were chosen, one sentence per run; the first few."""
    from fewshot.commands._results import chosen_settings

    every = list(chosen_settings(shown))
    rest = (
        [f"{counted(len(every) - _MOST_CHOICES, 'more run')} with choices or notes: --measures."]
        if len(every) > _MOST_CHOICES
        else []
    )
    return [*every[:_MOST_CHOICES], *rest]


def _templates(shown: Shown) -> list[str]:
    """The templates that turned class names into texts, one sentence for each backbone."""
    used: dict[str, dict[str, None]] = {}
    for row in shown.done:
        if row.templates:
            used.setdefault(shown.name(row).backbone, {})[row.templates] = None
    return [f"Class names of {name} as: {'; '.join(templates)}" for name, templates in used.items()]


def _wrapped(sentences: Sequence[str], wide: int) -> list[str]:
    return [line for text in sentences for line in textwrap.wrap(text, wide, break_on_hyphens=False)]
