"""`fewshot compare`: which run is the best, and whether the differences are real."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, wants_json
from fewshot.plugins.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fewshot.commands._comparison import Comparison
    from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
    from fewshot.report.comparisons.chosen_pairs import Request
    from fewshot.report.comparisons.contests import Uncompared
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.over_sets import OverSets
    from fewshot.report.comparisons.solved import Grouping
    from fewshot.report.rows.costs import Costs
    from fewshot.report.rows.images import RowImages
    from fewshot.report.rows.shown import Shown
    from fewshot.results.collections import Collection
    from fewshot.results.row import Row

_log = logging.getLogger("fewshot")
_BY = ("anything", "evaluator", "backbone")


@click.command("compare", short_help="Rank runs and compare them on the episodes that they share.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_options.FILE)
@click.option(
    "--by", type=click.Choice(_BY), default="anything", help="Compare runs that differ in this alone (or in anything)."
)
@click.option(
    "--where",
    metavar="CONDITION",
    default="",
    help="Compare runs whose rows meet this condition, such as 'k_shot == 5'.",
)
@click.option(
    "--only", metavar="TEXT", multiple=True, help="Compare only runs whose spec contains TEXT; repeat for several."
)
@click.option(
    "--against",
    metavar="NAME",
    help="Compare all runs with this one instead of the best: part of its name, or a backbone for its best run.",
)
@click.option("--pairs", "all_pairs", is_flag=True, help="Compare every run with every other.")
@_options.prefer_option
@click.option(
    "--unit",
    metavar="GROUP",
    help="Give intervals for new groups of classes instead of new classes, such as superclass.",
)
@_options.row_images_option("the class groups of --unit")
@click.option(
    "--delta",
    type=click.FloatRange(0, 100, min_open=True),
    default=1.0,
    help="Report how many episodes and classes would show a difference of this many percentage points.",
)
@click.option(
    "--out",
    type=_options.FILE,
    help="Write the tables and sentences to this markdown file, or every pair to a .csv file.",
)
@click.option("--plot", type=_options.FILE, help="Plot the differences to this .svg, .png or .pdf.")
@json_option
def command(
    files: tuple[Path, ...],
    by: str,
    where: str,
    only: tuple[str, ...],
    against: str | None,
    all_pairs: bool,
    prefer: str | None,
    unit: str | None,
    data: tuple[str, ...],
    delta: float,
    out: Path | None,
    plot: Path | None,
) -> int:
    """Rank the runs of results files and compare the best with all others, on the episodes that both solved.

    Each difference has two intervals: for other episodes of these images, and for new classes. Pairs that were compared
    on several data sets also get one difference over these data sets, and one for new data sets. Runs of a benchmark of
    the field are also ranked by their mean over its data sets. A warning names runs that cannot be compared, such as
    those of a data set without the groups of --unit. For example:

    \b
      fewshot compare results/runs.jsonl --where "k_shot == 5" --against resnet18
    """
    from fewshot.commands._compared_means import benchmark_values
    from fewshot.commands._comparison import write
    from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets
    from fewshot.report.comparisons.chosen_pairs import Request
    from fewshot.report.comparisons.claims import sets_values
    from fewshot.report.comparisons.contests import NothingCompared
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.over_sets import over_data_sets
    from fewshot.report.rows.shown import Shown

    if against is not None and all_pairs:
        raise click.UsageError("--against compares with one run, --pairs all with all; give one of them")
    stored = _chosen(files, where, only, prefer)
    shown = Shown.of(stored.rows(), stored.short_names, stored.every)
    grouping = partial(_grouping, unit, _options.row_images(data)) if unit else None
    means = rankings_on_sets(stored.rows(), stored.short_names, stored.predictions)
    try:
        compared, others = _compared(stored, shown, Request(by, against, all_pairs), grouping)
    except NothingCompared as error:
        if not means or against is not None or out is not None or plot is not None:
            raise
        compared, others = [], list(_why_not(error.others, Naming(shown, by)))  # one episode per set has no pairs
    claims = [one.pairs.claims for one in compared]
    over = over_data_sets(pair for claim in claims for pair in claim.pairs)
    if out is not None:
        write(out, compared, over)
    if plot is not None:
        from fewshot.report.comparisons.forest import write_forest

        write_forest(claims, plot)
    content = {
        "benchmarks": [benchmark_values(one, shown.costs) for one in means],
        "contests": [one.values(delta / 100) for one in compared] if wants_json() else [],  # ranks take long
        "over_sets": sets_values(over),
        "not_compared": others,
    }
    answer(_text(means, compared, over, others, delta / 100, shown.costs), content)
    return 0


def _text(
    means: Sequence[BenchmarkRanking],
    compared: Sequence[Comparison],
    over: Sequence[OverSets],
    others: Sequence[str],
    delta: float,
    costs: Costs,
) -> str:
    """The means first, then the verdicts of all tasks, each task, the pairs over several data sets, and notes."""
    from fewshot.commands._compared_means import benchmark_text
    from fewshot.commands._comparison import FEW, over_sets_text, verdicts, wrapped
    from fewshot.report.tables.cost_columns import cost_notes, noted

    texts = [*(benchmark_text(one, costs) for one in means), *verdicts(compared)]
    texts += [one.text(delta) for one in compared]
    of_means = (row for one in means for runs in one.runs for row in runs.rows.values())
    notes = noted(cost_notes([one.pairs.ranking for one in compared], costs, of_means), texts)
    if compared:
        texts += over_sets_text(over, compared[0].pairs.claims.naming, "simple")
    else:
        texts += ["\n".join(map(wrapped, ["No pairs on single data sets:", *_few(others, 2 * FEW)]))]
    return "\n\n".join([*texts, *map(wrapped, notes)])


def _chosen(files: Sequence[Path], where: str, only: Sequence[str], prefer: str | None) -> Collection:
    """The runs of these files that meet the condition and have every text of `only` in their spec."""
    from fewshot.commands._results import gathered

    every = gathered(files, where, prefer)
    runs = tuple(run for run in every.runs if all(any(text in str(part) for part in run.row.spec) for text in only))
    if not runs:
        n_runs, texts = counted(len(every.runs), "run"), " and ".join(map(repr, only))
        raise ValueError(f"none of the {n_runs} of {every.label} has {texts} in its spec")
    return replace(every, runs=runs)


def _compared(
    stored: Collection, shown: Shown, request: Request, grouping: Callable[[Row], Grouping] | None
) -> tuple[list[Comparison], list[str]]:
    """The comparisons of each contest, and sentences about runs that cannot be compared, which are also
    warnings."""
    from fewshot.commands._comparison import Comparison
    from fewshot.report.comparisons.chosen_pairs import chosen_pairs
    from fewshot.report.comparisons.contests import contests
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.unique_names import UniqueNames

    naming = Naming(shown, request.by)
    every, others = contests(stored, stored.rows(), request.by, grouping)
    texts = list(_why_not(others, naming))
    _warn(texts)
    pairs = chosen_pairs(every, request, naming, UniqueNames.of(shown))
    return [Comparison(one, shown.costs) for one in pairs], texts


def _warn(texts: Sequence[str]) -> None:
    """The first few sentences as warnings, and how many more there are."""
    from fewshot.commands._comparison import FEW

    for text in _few(texts, FEW):
        _log.warning("%s", text)


def _few(texts: Sequence[str], most: int) -> list[str]:
    """The first sentences about runs that are not compared, and how many more there are."""
    rest = len(texts) - most
    return [*texts[:most], *([f"{counted(rest, 'more sentence')} like these: --json"] if rest > 0 else [])]


def _why_not(others: Sequence[Uncompared], naming: Naming) -> Iterator[str]:
    """Which runs or tasks are not compared, and why; the sets of a benchmark with one reason in one sentence."""
    by_reason: dict[tuple[str, str], dict[str, None]] = {}
    for one in others:
        of_set = one.row.benchmark_set and not one.names_run
        run = f", {naming.run(one.row)}" if one.names_run else ""
        name = one.row.benchmark_set if of_set else f"{naming.task(one.row)}{run}"
        by_reason.setdefault((one.row.protocol if of_set else name, one.reason), {})[name] = None
    for (subject, reason), names in by_reason.items():
        sets = "" if subject in names else f" on {listed(list(names))}"
        yield f"{subject}{sets}: not compared, because {reason}"


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
