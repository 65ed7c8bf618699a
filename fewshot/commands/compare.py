"""`fewshot compare`: which run is the best, and whether the differences are real."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option, wants_json
from fewshot.files.terminal import width
from fewshot.plugins.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fewshot.report.comparisons.claims import Claims
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.over_sets import OverSets
    from fewshot.report.comparisons.pairing import Contest, Grouping, RunPair, Uncompared
    from fewshot.report.comparisons.ranking import Ranking
    from fewshot.report.comparisons.unique_names import UniqueNames
    from fewshot.report.rows.costs import Costs
    from fewshot.report.rows.images import RowImages
    from fewshot.results.collections import Collection
    from fewshot.results.row import Row

_log = logging.getLogger("fewshot")
_BY = ("anything", "evaluator", "backbone")
_FEW = 6  # pairs with a sentence each


@dataclass(frozen=True)
class Request:
    """Which pairs are compared: those of the best run, of a named run, or all."""

    by: str
    against: str | None
    all_pairs: bool


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
    from fewshot.commands._compared_means import benchmark_text, benchmark_values
    from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets
    from fewshot.report.comparisons.claims import sets_values
    from fewshot.report.comparisons.over_sets import over_data_sets
    from fewshot.report.tables.cost_columns import cost_notes

    if against is not None and all_pairs:
        raise click.UsageError("--against compares with one run, --pairs all with all; give one of them")
    stored = _chosen(files, where, only, prefer)
    grouping = partial(_grouping, unit, _options.row_images(data)) if unit else None
    benchmarks = rankings_on_sets(stored.rows(), stored.short_names, stored.predictions)
    try:
        compared, others = _compared(stored, Request(by, against, all_pairs), grouping)
    except ValueError as error:
        if not benchmarks or against is not None or out is not None or plot is not None:
            raise
        compared, others = [], [str(error)]  # one episode per set has no pairs, but the sets have
    claims = [one.claims for one in compared]
    over = over_data_sets(pair for claim in claims for pair in claim.pairs)
    if out is not None:
        _write(out, compared, over)
    if plot is not None:
        from fewshot.report.comparisons.forest import write_forest

        write_forest(claims, plot)
    costs = _costs(stored)
    means = [benchmark_text(one, costs) for one in benchmarks]
    texts = [*means, *_verdicts(compared), *(one.text(delta / 100) for one in compared)]
    parts = (
        _parts(texts, over, claims[0].naming, "simple")
        if claims
        else [*texts, *(_wrapped(f"No pairs on single data sets: {text}") for text in others)]
    )
    of_means = (row for one in benchmarks for runs in one.runs for row in runs.rows.values())
    parts += map(_wrapped, cost_notes([one.ranking for one in compared], costs, of_means))
    content = {
        "benchmarks": [benchmark_values(one, costs) for one in benchmarks],
        "contests": [one.values(delta / 100) for one in compared] if wants_json() else [],  # ranks take long
        "over_sets": sets_values(over),
        "not_compared": others,
    }
    answer("\n\n".join(parts), content)
    return 0


@dataclass(frozen=True)
class _Compared:
    """A contest with its ranking and the chosen pairs."""

    ranking: Ranking
    claims: Claims
    versus: Row | None  # in all pairs; None: all pairs are shown
    costs: Costs

    def text(self, delta: float) -> str:
        """The ranking, the pairs, and the costs."""
        from fewshot.report.tables.cost_columns import cost_table

        costs = cost_table(self.ranking, self.costs, width())
        return "\n\n".join(filter(None, [self._accuracies(delta), costs]))

    def _accuracies(self, delta: float) -> str:
        from fewshot.report.tables.ranked import ranked_table

        table = ranked_table([self.ranking], width(), with_verdicts=False)
        remarks = [*self.ranking.caveats, *self.claims.remarks]
        if self.versus is None and len(self.claims.pairs) <= _FEW:
            return f"{table}\n\nAll pairs\n\n{self.claims.text(delta)}"
        if self.versus is None:
            return "\n\n".join([table, "All pairs", self._all_pairs(), *map(_wrapped, remarks)])
        names = self.names
        parts = [table, self.claims.against(self.versus, names, self.ranking.population, width())]
        if len(self.claims.pairs) <= _FEW:
            parts.append(_wrapped(self.claims.sentences(delta)))
        return "\n\n".join([*parts, *map(_wrapped, remarks)])

    @property
    def names(self) -> dict[str, str]:
        """The names of the runs by run id."""
        return {standing.row.run_id: standing.name for standing in self.ranking.standings}

    def _all_pairs(self) -> str:
        from fewshot.report.comparisons.all_pairs import pairs_table

        return pairs_table(self.claims, self.names, width())

    def values(self, delta: float) -> dict[str, Any]:
        """The contest as JSON values."""
        from fewshot.report.tables.cost_columns import cost_values

        ranking = self.ranking
        return self.claims.values(delta) | {
            "verdict": ranking.verdict,
            "population": ranking.population,
            "suspicions": list(ranking.suspicions),
            "group": [standing.row.run_id for standing in ranking.group],
            "costs": cost_values(ranking.standings, self.costs),
            "against": None if self.versus is None else self.versus.run_id,
        }


def _write(out: Path, compared: Sequence[_Compared], over: list[OverSets]) -> None:
    """Writes every pair as CSV, or tables and sentences as markdown."""
    from fewshot.files.atomic import write_atomically

    claims = [one.claims for one in compared]
    if out.suffix.lower() == ".csv":
        from fewshot.report.comparisons.all_pairs import pairs_csv

        names = {run_id: name for one in compared for run_id, name in one.names.items()}
        write_atomically(out, pairs_csv(claims, names))
        return
    pasted = [text for one in compared for text in (f"**{one.ranking.verdict}**", one.claims.markdown())]
    write_atomically(out, "\n\n".join(_parts(pasted, over, claims[0].naming, "github")).encode() + b"\n")


def _chosen(files: Sequence[Path], where: str, only: Sequence[str], prefer: str | None) -> Collection:
    """The runs of these files that meet the condition and have every text of `only` in their spec."""
    from fewshot.commands._results import gathered

    every = gathered(files, where, prefer)
    runs = tuple(run for run in every.runs if all(any(text in str(part) for part in run.row.spec) for text in only))
    if not runs:
        n_runs, asked = counted(len(every.runs), "run"), " and ".join(map(repr, only))
        raise ValueError(f"none of the {n_runs} of {every.label} has {asked} in its spec")
    return replace(every, runs=runs)


def _compared(
    stored: Collection, request: Request, grouping: Callable[[Row], Grouping] | None
) -> tuple[list[_Compared], list[str]]:
    """The comparisons of each contest, and sentences about runs that cannot be compared, which are also
    warnings."""
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.pairing import alone, contests
    from fewshot.report.comparisons.ranking import ranking
    from fewshot.report.comparisons.unique_names import UniqueNames
    from fewshot.report.rows.shown import Shown

    shown = Shown.of(stored.rows(), stored.short_names, stored.every)
    naming, names = Naming(shown, request.by), UniqueNames.of(shown)
    every, others = contests(stored, stored.rows(), request.by, grouping)
    if request.by == "anything":
        others += alone(stored.rows())
    texts = list(_why_not(others, naming))
    for text in texts[:_FEW]:
        _log.warning("%s", text)
    if len(texts) > _FEW:
        _log.warning("%s more are not compared; --json lists them", counted(len(texts) - _FEW, "run"))
    chosen = _with_versus([(contest, ranking(contest, names)) for contest in every], request, names)
    claims = _claims(chosen, naming, of_best=request.against is None and not request.all_pairs)
    return [
        _Compared(of, each, versus, shown.costs) for (_, of, versus), each in zip(chosen, claims, strict=True)
    ], texts


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


def _with_versus(
    ranked: Sequence[tuple[Contest, Ranking]], request: Request, names: UniqueNames
) -> list[tuple[Contest, Ranking, Row | None]]:
    """The contests with the run that is in all their pairs: the best, or the named one; None for all pairs. Contests
    without the named run are left out; a ValueError if it is in none."""
    if request.against is None:
        return [(contest, of, None if request.all_pairs else of.best.row) for contest, of in ranked]
    found = [(contest, of, _named(contest, request.against, names)) for contest, of in ranked]
    if all(row is None for _, _, row in found):
        raise ValueError(_no_such_run(request.against, [of for _, of in ranked]))
    return [one for one in found if one[2] is not None]


def _claims(chosen: Sequence[tuple[Contest, Ranking, Row | None]], naming: Naming, of_best: bool) -> list[Claims]:
    """The pairs of every contest. Their p-values are those of the ranking for pairs `of_best`, the best runs; else they
    are adjusted over all pairs of all contests."""
    from itertools import islice

    from fewshot.report.comparisons.claims import Claims
    from fewshot.report.comparisons.pairing import adjusted

    pairs = [contest.pairs(versus) for contest, _, versus in chosen]
    if of_best:
        return [
            Claims(contest, naming, several, _p_of_best(several, of), len(several), "best")
            for (contest, of, _), several in zip(chosen, pairs, strict=True)
        ]
    together = adjusted([pair for several in pairs for pair in several]).tolist()
    n_tested, remaining = sum(p == p for p in together), iter(together)
    return [
        Claims(contest, naming, several, list(islice(remaining, len(several))), n_tested)
        for (contest, _, _), several in zip(chosen, pairs, strict=True)
    ]


def _p_of_best(pairs: Sequence[RunPair], ranking: Ranking) -> list[float]:
    """For each pair with the best run the p-value of "the other run is the best". Holm over these pairs would forget
    that the best was chosen by its luck."""
    p_values = {standing.row.run_id: standing.p_adjusted for standing in ranking.standings}
    best = ranking.best.row
    return [p_values[(pair.b if pair.a is best else pair.a).run_id] for pair in pairs]


def _named(contest: Contest, text: str, names: UniqueNames) -> Row | None:
    """The run of a contest whose name is or contains a text, the most accurate one of a backbone; a ValueError for
    several backbones."""
    by_name = {names.run(row): row for row in contest.rows}
    if text in by_name:
        return by_name[text]
    found = [name for name in by_name if text.casefold() in name.casefold()]
    if len(found) > 1 and len(_backbones(contest, text, names)) == 1:
        return max((by_name[name] for name in found), key=_accuracy)
    if len(found) > 1:
        names_found = "; ".join(found[:5]) + "; ..." * (len(found) > 5)
        raise ValueError(f"--against {text!r} fits {counted(len(found), 'run')}: {names_found}; give more of the name")
    return by_name[found[0]] if found else None


def _backbones(contest: Contest, text: str, names: UniqueNames) -> set[str]:
    """The backbones whose names contain a text."""
    every = {names.shown.name(row).backbone for row in contest.rows}
    return {name for name in every if text.casefold() in name.casefold()}


def _accuracy(row: Row) -> float:
    return row.accuracy or 0.0


def _no_such_run(text: str, ranked: Sequence[Ranking]) -> str:
    names = list(dict.fromkeys(standing.name for one in ranked for standing in one.standings))
    return f"no run is named {text!r}; the runs are: {'; '.join(names[:8])}{'; ...' * (len(names) > 8)}"


def _costs(stored: Collection) -> Costs:
    """What the rows of these files know together about the costs of runs, shown or not."""
    from fewshot.report.rows.costs import Costs

    return Costs.of(row for row in stored.every or stored.rows() if row.status != "failed")


def _verdicts(compared: Sequence[_Compared]) -> list[str]:
    """The verdicts of all tasks, first."""
    if not compared:
        return []
    several = len(compared) > 1
    texts = [f"{one.ranking.task}: {one.ranking.verdict}" if several else one.ranking.verdict for one in compared]
    return ["\n".join(map(_wrapped, texts))]


def _wrapped(text: str) -> str:
    """Every line of a text, wrapped to the terminal."""
    import textwrap

    return "\n".join(
        textwrap.fill(line, width(), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for line in text.splitlines()
    )


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
