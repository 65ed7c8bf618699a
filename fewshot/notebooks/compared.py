"""Comparisons: which run is best, and whether the others may be as good."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from tabulate import tabulate

from fewshot.notebooks.html import table_html
from fewshot.plugins.wording import counted
from fewshot.report.comparisons.ranking import Ranking, Standing, rankings
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.statistics.intervals import Interval

HEADER = ("", "run", "accuracy in %", "minus the best")
_MOST_TABLES = 12  # of rankings
LEGEND = "*: no run is significantly better"


@dataclass(frozen=True, eq=False)
class Compared:
    """A ranking for each task and number of shots. Its text is the verdict; `print` shows the tables too."""

    rankings: tuple[Ranking, ...]

    @property
    def verdict(self) -> str:
        """One sentence per ranking: the best run, and its lead or the runs that may be as good."""
        if len(self.rankings) == 1:
            return self.rankings[0].verdict
        return "\n".join(f"{ranking.task}: {ranking.verdict}" for ranking in self.rankings)

    def __repr__(self) -> str:
        return f"Compared({len(self.rankings)} rankings)" if len(self.rankings) > 1 else self.verdict

    def __str__(self) -> str:
        return "\n\n".join(_text(ranking) for ranking in self.rankings)

    def _repr_html_(self) -> str:
        """The verdict and the table of each ranking."""
        parts = [_html(ranking) for ranking in self.rankings[:_MOST_TABLES]]
        if len(self.rankings) > _MOST_TABLES:
            parts.append(f"<p>and {len(self.rankings) - _MOST_TABLES:,} more rankings; print() shows them all</p>")
        return "".join(parts)


def compared(rows: Sequence[Row], predictions: Callable[[Row], Iterator[Predictions]]) -> Compared:
    """The comparison of these rows, each of another run; `predictions` reads those of a row. Fewer than two runs of any
    task are a ValueError that says what to run."""
    ranked = tuple(ranking for ranking in rankings(rows, predictions) if len(ranking.standings) > 1)
    if not ranked:
        n_rows = counted(len(rows), "row")
        raise ValueError(
            f"nothing to compare: no two of {n_rows} have the same data, ways, shots and seed; evaluate more backbones "
            "or evaluators on the same episodes, such as evaluate(..., evaluators=['LinearProbe', 'Prototype'])"
        )
    return Compared(ranked)


def _text(ranking: Ranking) -> str:
    parts = [ranking.task, ranking.verdict, tabulate(lines(ranking), HEADER, disable_numparse=True), LEGEND]
    return "\n".join([*parts, *ranking.caveats])


def _html(ranking: Ranking) -> str:
    notes = "".join(f"<p><small>{escape(text)}</small></p>" for text in (LEGEND, *ranking.caveats))
    heading = f"<p>{escape(ranking.task)}<br><b>{escape(ranking.verdict)}</b></p>"
    return f"{heading}{table_html(HEADER, lines(ranking))}{notes}"


def lines(ranking: Ranking) -> list[tuple[str, ...]]:
    """The cells of a table under HEADER, the best run first."""
    return [
        ("*" if one.leads else "", one.name, f"{100 * one.accuracy:.1f}", _difference(one)) for one in ranking.standings
    ]


def _difference(standing: Standing) -> str:
    found: Interval | None = standing.difference
    if found is None:
        return standing.reason
    bounds = "" if found.reason else f" [{100 * found.low:z.1f}, {100 * found.high:z.1f}]"
    return f"{100 * found.mean:z.1f}{bounds}"
