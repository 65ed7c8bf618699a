"""`compare`: which run is best, and whether the others may be as good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from fewshot.notebooks.rows import Rows
from fewshot.report.comparisons.ranking import Ranking, Standing, rankings
from fewshot.results.files import Results
from fewshot.statistics.intervals import Interval

HEADER = ("", "run", "accuracy in %", "minus the best")
LEGEND = "*: no run is significantly better"


@dataclass(frozen=True, eq=False)
class Compared:
    """A ranking for each task and number of shots. Its text is the verdict; `print` shows the tables too."""

    rows: Rows
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
        from fewshot.notebooks.html import compared_html

        return compared_html(self.rankings)


def compare(rows: Rows | Results | str | Path | Iterable[Any]) -> Compared:
    """The comparison of these rows: what `evaluate` returned, several of these in a list, or a results file.

    Runs of one task are ranked, the best first, with the group that no other run beats; differences are paired on the
    episodes that both runs solved. Fewer than two runs of any task are a ValueError that says what to run.
    """
    held = Rows.of(rows)
    once = Rows([]) + held
    ranked = tuple(ranking for ranking in rankings(once, once.predictions) if len(ranking.standings) > 1)
    if not ranked:
        n_rows = f"{len(once)} row{'' if len(once) == 1 else 's'}"
        raise ValueError(
            f"nothing to compare: no two of {n_rows} have the same data, ways, shots and seed; evaluate more backbones "
            "or evaluators on the same episodes, such as evaluate(..., evaluators=['LinearProbe', 'Prototype'])"
        )
    return Compared(once, ranked)


def _text(ranking: Ranking) -> str:
    parts = [ranking.task, ranking.verdict, tabulate(lines(ranking), HEADER, disable_numparse=True), LEGEND]
    return "\n".join([*parts, *ranking.caveats])


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
