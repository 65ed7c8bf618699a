"""`fewshot compare`: whether the difference between runs is real."""

from __future__ import annotations

import logging
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.commands._results import read_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from fewshot.report.comparisons.claims import Claims
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.over_sets import OverSets
    from fewshot.report.comparisons.pairing import Grouping
    from fewshot.report.rows.images import RowImages
    from fewshot.results.row import Row

_log = logging.getLogger("fewshot")
_BY = ("evaluator", "backbone", "anything")


@click.command("compare", short_help="Compare runs on the episodes that they share.")
@click.argument("rows", type=_options.FILE)
@click.option("--by", type=click.Choice(_BY), default="evaluator", help="Compare runs that differ in this alone.")
@click.option(
    "--only", metavar="TEXT", multiple=True, help="Compare only runs whose spec contains TEXT; repeat for several."
)
@click.option(
    "--unit",
    metavar="GROUP",
    help="Give intervals for new groups of classes instead of new classes, such as superclass.",
)
@_options.row_images_option("the class groups of --unit")
@click.option(
    "--delta",
    type=_options.Number(0, 100, min_open=True),
    default=1.0,
    help="Report how many episodes and classes would show a difference of this many percentage points.",
)
@click.option("--out", type=_options.FILE, help="Write the tables and sentences to this markdown file.")
@click.option("--plot", type=_options.FILE, help="Plot the differences to this .svg, .png or .pdf.")
@json_option
def command(
    rows: Path,
    by: str,
    only: tuple[str, ...],
    unit: str | None,
    data: tuple[str, ...],
    delta: float,
    out: Path | None,
    plot: Path | None,
) -> int:
    """Compare the runs of the results file ROWS in pairs, on the episodes that both solved.

    Each difference has two intervals: for other episodes of these images, and for new classes. Pairs that were compared
    on several data sets also get one difference over these data sets, and one for new data sets. A warning names runs
    that cannot be compared, such as those of a data set without the groups of --unit.
    """
    from fewshot.report.comparisons.claims import sets_values
    from fewshot.report.comparisons.over_sets import over_data_sets

    claims, others = _claims(rows, by, only, partial(_grouping, unit, _options.row_images(data)) if unit else None)
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
    answer("\n\n".join(parts), {"contests": contests, "over_sets": sets_values(over), "not_compared": others})
    return 0


def _claims(
    rows: Path, by: str, only: tuple[str, ...], grouping: Callable[[Row], Grouping] | None
) -> tuple[list[Claims], list[str]]:
    """The comparisons of each contest among the chosen rows, and sentences about runs that cannot be compared, which
    are also warnings; p-values are adjusted over all comparisons."""
    from fewshot.report.comparisons.claims import Claims
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.pairing import adjusted, contests
    from fewshot.report.rows.shown import Shown
    from fewshot.results.files import Results

    results = Results(rows)
    rows_of_all = read_rows(results)
    chosen = [row for row in rows_of_all if all(any(text in str(part) for part in row.spec) for text in only)]
    if not chosen:
        raise ValueError(
            f"none of the {len(rows_of_all):,} runs of {rows} has {' and '.join(map(repr, only))} in its spec"
        )
    every, others = contests(results, chosen, by, grouping)
    pairs = [contest.pairs() for contest in every]
    p_values = adjusted([pair for several in pairs for pair in several]).tolist()
    n_tested, remaining, naming = sum(p == p for p in p_values), iter(p_values), Naming(Shown.of(chosen), by)
    texts = list(dict.fromkeys(f"{naming.task(one.row)}: not compared, because {one.reason}" for one in others))
    for text in texts:
        _log.warning("%s", text)
    claims = [
        Claims(contest, naming, several, list(islice(remaining, len(several))), n_tested)
        for contest, several in zip(every, pairs, strict=True)
    ]
    return claims, texts


def _parts(contests: list[str], over: list[OverSets], naming: Naming, form: str) -> list[str]:
    """The contests, and the table over data sets if there are several."""
    from fewshot.report.comparisons.claims import sets_table

    if not over:
        return contests
    title = "Over several data sets" if form == "simple" else "**Over several data sets**"
    return [*contests, title, sets_table(over, naming, form)]


def _grouping(unit: str, read: RowImages, row: Row) -> Grouping:
    """The name of the groups, and the group of each class of a row's data set."""
    import numpy as np

    images = read.load(row)
    if unit not in images.class_groups:
        known = ", ".join(images.class_groups) or "none"
        raise ValueError(
            f"{images.name} has no class group {unit!r}; it has: {known}. Compare its runs without --unit"
            + f", or with --unit {next(iter(images.class_groups))}" * bool(images.class_groups)
        )
    return f"groups ({unit})", images.class_groups[unit].codes.astype(np.int64)
