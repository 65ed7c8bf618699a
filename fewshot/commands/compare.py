"""`fewshot compare`: is the difference between runs real?"""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fewshot.report.comparisons.claims import Claims
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.over_sets import OverSets
    from fewshot.results.row import Row

_BY = ("evaluator", "backbone", "anything")


@click.command("compare", short_help="Compare runs on the episodes that they share.")
@click.argument("rows", type=_options.FILE)
@click.option(
    "--by",
    type=click.Choice(_BY),
    default="evaluator",
    help="Compare runs that differ in this alone.",
)
@click.option("--only", metavar="TEXT", multiple=True, help="Keep only runs whose spec contains TEXT; may be repeated.")
@click.option("--unit", metavar="GROUP", help="Give intervals for new groups of classes instead, such as superclass.")
@click.option(
    "--delta",
    type=click.FloatRange(0, 100, min_open=True),
    default=1.0,
    help="Print the episodes and classes that detect this difference, in points.",
)
@click.option("--out", type=_options.FILE, help="Write tables and paragraphs to paste to this markdown file.")
@click.option("--plot", type=_options.FILE, help="Plot the differences to this .svg, .png or .pdf file.")
@json_option
def command(
    rows: Path, by: str, only: tuple[str, ...], unit: str | None, delta: float, out: Path | None, plot: Path | None
) -> int:
    """Compare the runs of the results file ROWS in pairs, on the episodes that both solved.

    Each difference has two intervals: for these images, and for new classes. Pairs that were compared on several data
    sets get a summary: for these sets, and for new sets.
    """
    from fewshot.report.comparisons.claims import sets_values
    from fewshot.report.comparisons.over_sets import over_data_sets

    claims = _claims(rows, by, only, unit)
    over = over_data_sets(pair for claim in claims for pair in claim.pairs)
    if out is not None:
        from fewshot.files.atomic import write_atomically

        pasted = _parts([claim.markdown() for claim in claims], over, claims[0].naming, "github")
        write_atomically(out, "\n\n".join(pasted).encode() + b"\n")
    if plot is not None:
        from fewshot.report.comparisons.forest import write_forest

        write_forest(claims, plot)
    parts = _parts([claim.text(delta / 100) for claim in claims], over, claims[0].naming, "simple")
    contests = [claim.values(delta / 100) for claim in claims]
    answer("\n\n".join(parts), {"contests": contests, "over_sets": sets_values(over)})
    return 0


def _claims(rows: Path, by: str, only: tuple[str, ...], unit: str | None) -> list[Claims]:
    """The claims of all contests among the chosen rows. P-values are adjusted over all of them."""
    from fewshot.report.comparisons.claims import Claims
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.pairing import adjusted, contests
    from fewshot.report.rows.shown import Shown
    from fewshot.results.files import Results

    if not rows.is_file():
        raise ValueError(f"there is no results file {rows}")
    results = Results(rows)
    rows_of_all = results.rows()
    chosen = [row for row in rows_of_all if all(any(text in str(part) for part in row.spec) for text in only)]
    if rows_of_all and not chosen:
        raise ValueError(
            f"none of the {len(rows_of_all):,} runs of {rows} has {' and '.join(map(repr, only))} in its spec"
        )
    every = contests(results, chosen, by, partial(_grouping, unit) if unit else None)
    pairs = [contest.pairs() for contest in every]
    p_values = adjusted([pair for several in pairs for pair in several]).tolist()
    n_tested, remaining, naming = sum(p == p for p in p_values), iter(p_values), Naming(Shown.of(chosen), by)
    return [
        Claims(contest, naming, several, list(islice(remaining, len(several))), n_tested)
        for contest, several in zip(every, pairs, strict=True)
    ]


def _parts(contests: list[str], over: list[OverSets], naming: Naming, form: str) -> list[str]:
    """The contests, and their summary if they are on several data sets."""
    from fewshot.report.comparisons.claims import sets_table

    if not over:
        return contests
    title = "Over several data sets" if form == "simple" else "**Over several data sets**"
    return [*contests, title, sets_table(over, naming, form)]


def _grouping(unit: str, row: Row) -> tuple[str, NDArray[np.int64]]:
    """The name of the groups, and the group of every class of a row's data set."""
    from fewshot.plugins.registry import DATASETS

    images = DATASETS.make(row.dataset, allow_import=False).load()
    if unit not in images.class_groups:
        raise ValueError(
            f"{images.name} has no class group {unit!r}; it has: {', '.join(images.class_groups) or 'none'}"
        )
    return f"groups ({unit})", images.class_groups[unit].codes
