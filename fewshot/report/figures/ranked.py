"""Rankings as pictures: a line of dots and intervals per run, group by group, and accuracy over cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fewshot.plugins.wording import counted, listed
from fewshot.report.comparisons.ranking import Ranking, Standing
from fewshot.report.figures.costs import CostPlot, Run, cost_plots
from fewshot.report.figures.ranges import Scale, ends
from fewshot.report.rows.intervals import of_rankings, percent
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import interval
from fewshot.report.rows.wording import details

OPEN_OF_BEST, OPEN_OF_OTHERS = 12, 6  # lines of a group that are not folded away
MOST_LINES = 200  # of a ranking


@dataclass(frozen=True)
class RankedLine:
    """A run in a ranking: texts, and the picture of its accuracy."""

    place: int
    name: str
    score: str
    bounds: str
    svg: Markup
    minus_best: str  # in points
    minus_best_bounds: str
    details: str
    contender: int
    run_id: str


@dataclass(frozen=True)
class Group:
    """Runs that the paired tests do not tell apart, or those that lose. `folded` lines are shown on demand."""

    heading: str
    lines: tuple[RankedLine, ...]
    folded: tuple[RankedLine, ...] = ()


@dataclass(frozen=True)
class RankedPlot:
    """The ranking of one task at one number of shots."""

    task: str
    verdict: str
    caveats: tuple[str, ...]
    axis: Markup
    groups: tuple[Group, ...]
    legend: str
    n_omitted: int  # less accurate runs
    costs: tuple[CostPlot, ...]

    @property
    def paired(self) -> bool:
        """Whether any line has its difference to the best."""
        return any(line.minus_best for group in self.groups for line in (*group.lines, *group.folded))


def ranked_plot(ranking: Ranking, shown: Shown, name: str, most: int = MOST_LINES) -> RankedPlot:
    """The picture of a ranking, of at most `most` runs. `name` keeps its ids apart from those of others."""
    kept = ranking.standings[: min(most, MOST_LINES)]
    scale = Scale.of(ends(standing.row for standing in kept), shown.task(ranking.best.row).chance)
    lines = [_line(place, standing, shown, scale, name) for place, standing in enumerate(kept, 1)]
    return RankedPlot(
        ranking.task,
        ranking.verdict,
        ranking.caveats,
        scale.axis(name),
        tuple(_groups(ranking, lines)),
        _legend(kept, scale),
        len(ranking.standings) - len(kept),
        _costs(ranking.standings, shown, most),
    )


def _line(place: int, standing: Standing, shown: Shown, scale: Scale, name: str) -> RankedLine:
    row, difference = standing.row, standing.difference
    return RankedLine(
        place,
        standing.name,
        f"{100 * standing.accuracy:.1f}",
        percent(standing.interval) if standing.interval else "",
        scale.line(row, name),
        "" if difference is None else f"{100 * difference.mean:+z.1f}",
        "" if difference is None or difference.reason else percent((difference.low, difference.high)),
        details(row),
        shown.number(row),
        row.run_id,
    )


def _legend(kept: Sequence[Standing], scale: Scale) -> str:
    """What the lines show, and how to read the groups beside them."""
    rows = [standing.row for standing in kept]
    thick = f"; thick: 95 % interval for {rows[0].population or 'these images'}" if any(map(interval, rows)) else ""
    thin = f"; thin: for {listed([kind.population(rows) for kind in of_rankings(rows)])}" if of_rankings(rows) else ""
    chance = "; dashed: guessing" if scale.chance is not None else ""
    paired = " Groups come from tests of all pairs, corrected for their number; intervals are of single runs and pairs."
    return f"Dot: accuracy{thick}{thin}{chance}.{paired if any(one.leads for one in kept) and len(kept) > 1 else ''}"


def _groups(ranking: Ranking, lines: Sequence[RankedLine]) -> list[Group]:
    """The lines in their groups: those that may be the best, those that lose, those without a test, and oracles, which
    do not compete."""
    pairs = list(zip(ranking.standings, lines, strict=False))
    oracles = [line for standing, line in pairs if is_oracle(standing.row) and not standing.leads]
    leading = [line for standing, line in pairs if standing.leads]
    untested = [line for standing, line in pairs if standing.untested]
    losing = [line for standing, line in pairs if not standing.leads and line not in (*oracles, *untested)]
    if len(ranking.standings) == 1 or ranking.untested:
        return [Group("", tuple(lines))]
    best = f"May be the best ({counted(len(ranking.group), 'run')})" if len(leading) > 1 else "The best"
    groups = [
        _group(best, leading, OPEN_OF_BEST),
        _group(f"Less accurate than the best ({counted(len(losing), 'run')})", losing, OPEN_OF_OTHERS),
        _group(f"Not tested ({counted(len(untested), 'run')})", untested, OPEN_OF_OTHERS),
        _group("Oracles: hyperparameters chosen on the test labels, so not in the ranking", oracles, OPEN_OF_OTHERS),
    ]
    return [group for group in groups if group.lines]


def _group(heading: str, lines: Sequence[RankedLine], most: int) -> Group:
    """A group; a few lines more than `most` are not worth folding."""
    end = len(lines) if len(lines) <= most + 2 else most
    return Group(heading, tuple(lines[:end]), tuple(lines[end:]))


def _costs(standings: Sequence[Standing], shown: Shown, most: int) -> tuple[CostPlot, ...]:
    """Accuracy over costs; oracles take no part. `most`: marks beside the front."""
    return cost_plots(
        [
            Run(place, standing.name, standing.accuracy, shown.costs.cost(standing.row))
            for place, standing in enumerate(standings, 1)
            if not is_oracle(standing.row)
        ],
        most,
    )
