"""The ranking of a benchmark by its mean over data sets as a table: the mean, the groups of sets, and each set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import listed
from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
from fewshot.report.comparisons.ranking import Standing
from fewshot.report.rows.benchmark_means import Average, SetRuns, explained
from fewshot.report.rows.intervals import bracket
from fewshot.report.tables.cost_columns import CostColumns, CostsOfRows, set_costs

MOST_LINES = 200


@dataclass(frozen=True)
class Cell:
    """A number in % with its interval in brackets, or a cost; "" where there is none."""

    text: str = ""
    bounds: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Text:
    """A text in a further column, with smaller lines below it; with a `url`, a link."""

    text: str
    further: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True)
class MeanLine:
    """A contender with its mean, its difference to the best, and its numbers on groups and sets."""

    place: int
    name: str
    remarks: tuple[str, ...]  # in smaller letters below the name
    sign: str
    is_best: bool
    mean: Cell
    minus: Cell
    groups: tuple[Cell, ...]
    sets: tuple[Cell, ...]
    costs: tuple[Cell, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class BenchmarkTable:
    """The lines of a ranking, best first, with the names of their columns."""

    title: str
    verdict: str
    mean: str  # the heading of the means, such as "19 sets"
    groups: tuple[str, ...]
    sets: tuple[str, ...]
    costs: tuple[str, ...]  # the headings of the costs
    columns: tuple[str, ...]  # the headings of the texts
    lines: tuple[MeanLine, ...]
    caption: str


def benchmark_table(
    one: BenchmarkRanking,
    costs: CostsOfRows | None = None,
    columns: tuple[str, ...] = (),
    texts: Callable[[SetRuns], tuple[Text, ...]] = lambda _: (),
    remarks: Callable[[SetRuns], tuple[str, ...]] = lambda _: (),
) -> BenchmarkTable:
    """The table of a ranking, with the `costs` and the `texts` of each contender in further columns, and its `remarks`
    below its name."""
    of_all, ranking = one.averages[0][0], one.ranking
    groups = one.averages[0][1:]
    of_costs = CostColumns((), ((),) * len(one.runs), ()) if costs is None else set_costs(one.runs, costs)
    cells = [tuple(Cell(cell.text, "", cell.value) for cell in own) for own in of_costs.cells]
    rest = max(0, len(ranking.standings) - MOST_LINES)
    own = map(texts, one.runs), map(remarks, one.runs)
    kept = list(zip(ranking.standings, one.averages, cells, *own, strict=True))[:MOST_LINES]
    return BenchmarkTable(
        ranking.task,
        ranking.verdict,
        of_all.counted,
        tuple(f"{average.group}, {average.counted}" for average in groups),
        tuple(name for name, _ in of_all.sets),
        of_costs.titles,
        columns,
        tuple(_line(place, *each, ranking.best, groups) for place, each in enumerate(kept, 1)),
        " ".join([_caption(one), *of_costs.notes, *([f"{rest:,} more are not shown."] if rest else [])]),
    )


def _line(
    place: int,
    standing: Standing,
    averages: Sequence[Average],
    costs: tuple[Cell, ...],
    texts: tuple[Text, ...],
    remarks: tuple[str, ...],
    best: Standing,
    groups: Sequence[Average],
) -> MeanLine:
    by_group = {average.group: average for average in averages}
    return MeanLine(
        place,
        standing.name,
        remarks,
        "≈" if standing.leads and standing is not best else "",
        standing is best,
        _mean(averages[0]),
        _minus(standing, best),
        tuple(_mean(by_group[group.group]) for group in groups),
        tuple(Cell(f"{100 * value:.1f}", "", value) for _, value in averages[0].sets),
        costs,
        texts,
    )


def _minus(standing: Standing, best: Standing) -> Cell:
    """The difference to the best, with its interval if it was tested."""
    if standing is best:
        return Cell()
    if standing.difference is None:
        behind = standing.accuracy - best.accuracy
        return Cell(f"{100 * behind:+z.1f}", "", behind)
    difference = standing.difference
    return Cell(f"{100 * difference.mean:+z.1f}", bracket((difference.low, difference.high)), difference.mean)


def _mean(average: Average) -> Cell:
    return Cell(f"{100 * average.value:.1f}", average.bracket, average.value)


def _caption(one: BenchmarkRanking) -> str:
    """What the numbers, brackets and signs are."""
    ranking = one.ranking
    number = "median of the draws" if one.benchmark.draws == "median" else "accuracy"
    parts = [f"Mean over data sets, of the {number} on each, in %."]
    if ranking.of_accuracies:
        parts.append(f"[ ] of a mean: 95 % interval for {explained(ranking.of_accuracies)}.")
    if len(ranking.standings) > 1 and not ranking.untested:
        parts.append(f"[ ] of a difference: 95 % interval for {explained(ranking.population)}.")
        parts.append(
            "≈: may be as good as the best, by paired tests that are corrected for the number of methods; [ ] is not."
        )
    if one.missing:
        parts.append(f"Missing: {listed(list(one.missing))}.")
    parts += ranking.caveats
    return " ".join(parts)
