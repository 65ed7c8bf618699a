"""Comparisons: which run is best, and whether the others may be as good."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from fewshot.files.terminal import width
from fewshot.notebooks.html import table_html
from fewshot.plugins.wording import counted
from fewshot.report.comparisons.ranking import Ranking, rankings_of
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.ranked import table_cells, with_cautions
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row

_MOST_TABLES = 12  # of rankings


@dataclass(frozen=True, eq=False)
class Compared:
    """A ranking for each task and number of shots. Its text is the verdict; `print` shows the tables too."""

    rankings: tuple[Ranking, ...]
    shown: Shown  # the rows

    @property
    def verdict(self) -> str:
        """One sentence per ranking: the best run, and its lead or the runs that may be as good."""
        if len(self.rankings) == 1:
            return self.rankings[0].verdict
        return "\n".join(f"{ranking.task}: {ranking.verdict}" for ranking in self.rankings)

    def __repr__(self) -> str:
        return f"Compared({len(self.rankings)} rankings)" if len(self.rankings) > 1 else self.verdict

    def __str__(self) -> str:
        return with_cautions(self.rankings, self.shown, width())

    def _repr_html_(self) -> str:
        """The verdict and the table of each ranking."""
        parts = [_html(ranking) for ranking in self.rankings[:_MOST_TABLES]]
        if len(self.rankings) > _MOST_TABLES:
            parts.append(f"<p>and {len(self.rankings) - _MOST_TABLES:,} more rankings; print() shows them all</p>")
        return "".join(parts)


def compared(rows: Sequence[Row], predictions: Callable[[Row], Iterator[Predictions]]) -> Compared:
    """The comparison of these rows, each of another run; `predictions` reads those of a row. Fewer than two runs of any
    task are a ValueError that says what to run."""
    shown = Shown.of(rows)
    ranked = tuple(ranking for ranking in rankings_of(shown, predictions) if len(ranking.standings) > 1)
    if not ranked:
        n_rows = counted(len(rows), "row")
        raise ValueError(
            f"nothing to compare: no two of {n_rows} have the same data, ways, shots and seed; evaluate more backbones "
            "or evaluators on the same episodes, such as evaluate(..., evaluators=['LinearProbe', 'Prototype'])"
        )
    return Compared(ranked, shown)


def _html(ranking: Ranking) -> str:
    titles, lines, legend = table_cells(ranking)
    notes = "".join(f"<p><small>{escape(text)}</small></p>" for text in (legend, *ranking.caveats))
    heading = f"<p>{escape(ranking.task)}<br><b>{escape(ranking.verdict)}</b></p>"
    return f"{heading}{table_html(titles, lines)}{notes}"
