"""The costs of runs as columns: beside the accuracies of a task in HTML, and as a table for terminals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fewshot.plugins.wording import counted
from fewshot.report.comparisons.ranking import Ranking, Standing
from fewshot.report.rows.benchmark_means import SetRuns
from fewshot.report.rows.costs import (
    OF_OTHERS,
    TITLES,
    Costs,
    RunCost,
    duration,
    meaning,
    of_others,
    of_several_machines,
    with_start,
)
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task
from fewshot.report.tables.named_columns import Column, named_columns
from fewshot.report.tables.task_table import Line
from fewshot.results.row import Row

MOST_LINES = 20  # in a terminal
_JSON = {"of_others": "seconds_per_image_of_other_runs", "with_start": "seconds_per_episode_with_start"}


class CostsOfRows(Protocol):
    """Something that knows the cost of rows."""

    def cost(self, row: Row, /) -> RunCost: ...


@dataclass(frozen=True)
class CostCell:
    """A cost as text, and the number that orders it; None if it is unknown."""

    text: str
    value: float | None


@dataclass(frozen=True)
class CostColumns:
    """The columns of costs of one table: their titles, a cell per title for every line, and notes."""

    titles: tuple[str, ...]
    cells: tuple[tuple[CostCell, ...], ...]
    notes: tuple[str, ...]


def cost_columns(task: Task, lines: Sequence[Line], shown: Shown) -> CostColumns:
    """The costs beside the lines of a task; only the columns that some line has."""
    rows = {row.run_id: row for row in task.rows}
    every = [_cells([rows[cell.run_id] for cell in line.cells if cell.run_id], shown.costs) for line in lines]
    kept = [n for n in range(len(TITLES)) if any(cells[n].value is not None for cells in every)]
    titles = tuple(TITLES[n] for n in kept)
    notes = _notes(titles, task.rows, [shown.costs.cost(row) for row in task.rows])
    return _columns(titles, tuple(tuple(cells[n] for n in kept) for cells in every), notes)


def _columns(titles: tuple[str, ...], cells: tuple[tuple[CostCell, ...], ...], notes: Sequence[str]) -> CostColumns:
    """The columns, with the notes on signs that a cell bears."""
    return CostColumns(titles, cells, tuple(noted(notes, [cell.text for line in cells for cell in line])))


def noted(notes: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The notes without that on a sign which none of these texts bears."""
    signed = any(OF_OTHERS in text for text in texts)
    return [note for note in notes if signed or not note.startswith(OF_OTHERS)]


def _notes(titles: Collection[str], rows: Sequence[Row], costs: Sequence[RunCost]) -> list[str]:
    """What the columns with these titles mean, which machines measured them, and what is not as it seems."""
    every = meaning(titles), of_others(costs), with_start(costs), of_several_machines(rows)
    return [text for text in every if text]


def _cells(rows: Sequence[Row], costs: CostsOfRows) -> list[CostCell]:
    """The costs of a line: of its network, and the times of an image and of an episode, from the shortest run to the
    longest."""
    of_rows = [costs.cost(row) for row in rows]
    one = max(of_rows, key=lambda cost: (bool(cost.n_params), bool(cost.flops)))
    params, flops, *_ = one.texts
    episodes = [cost.seconds_per_episode for cost in of_rows if cost.seconds_per_episode is not None]
    return [CostCell(params, one.n_params), CostCell(flops, one.flops), _image(of_rows), _seconds(episodes)]


def _image(costs: Sequence[RunCost]) -> CostCell:
    """The time of an image in the runs that measured it; that of other runs, with a sign, where none did."""
    known = [cost for cost in costs if cost.seconds_per_image]
    own = [cost for cost in known if not cost.of_others]
    sign = f" {OF_OTHERS}" if known and not own else ""
    return _seconds([cost.seconds_per_image or 0.0 for cost in own or known], sign)


def _seconds(each: Sequence[float], sign: str = "") -> CostCell:
    """The shortest and the longest of these durations; the longest orders the cell."""
    texts = dict.fromkeys(map(duration, (min(each), max(each)))) if each else []
    return CostCell(" to ".join(texts) + sign, max(each, default=None))


def set_costs(runs: Sequence[SetRuns], costs: CostsOfRows) -> CostColumns:
    """The costs of contenders on the sets of a benchmark, the time of an episode from the lowest to the highest; only
    the columns that some contender has."""
    every = [_cells(list(one.rows.values()), costs) for one in runs]
    kept = [n for n in range(len(TITLES)) if any(cells[n].value is not None for cells in every)]
    titles, rows = tuple(TITLES[n] for n in kept), [row for one in runs for row in one.rows.values()]
    notes = _notes(titles, rows, [costs.cost(row) for row in rows])
    return _columns(titles, tuple(tuple(cells[n] for n in kept) for cells in every), notes)


def costs_of_rows(rows: Iterable[Row], costs: Costs) -> dict[str, dict[str, Any]]:
    """The costs of rows as JSON values, by run id."""
    return {row.run_id: _values(costs.cost(row)) for row in rows}


def cost_table(ranking: Ranking, costs: Costs, width: int, rows: Sequence[Sequence[Row]] = ()) -> str:
    """The costs of the best runs of a ranking, for a terminal; "" if none is known. `rows`: of each standing, where it
    has several, as the sets of a benchmark."""
    kept = ranking.standings[:MOST_LINES]
    of_each = rows[:MOST_LINES] or [[standing.row] for standing in kept]
    texts = [[cell.text for cell in _cells(own, costs)] for own in of_each]
    filled = [n for n in range(len(TITLES)) if any(text[n] for text in texts)]
    if not filled:
        return ""
    accuracies = Column("accuracy", [f"{100 * standing.accuracy:.1f}" for standing in kept])
    columns = [Column(TITLES[n], [text[n] for text in texts]) for n in filled]
    table = named_columns("cost", [standing.name for standing in kept], [accuracies, *columns], width)
    return "\n".join([table, *omitted(len(ranking.standings))])


def omitted(n_lines: int) -> list[str]:
    """A line for the terminal that counts the runs below the last line of its tables; none if all are there."""
    rest = n_lines - MOST_LINES
    return [f"{counted(rest, 'less accurate run')} omitted; --json has all."] if rest > 0 else []


def cost_notes(rankings: Iterable[Ranking], costs: Costs, further: Iterable[Row] = ()) -> list[str]:
    """The notes on the columns of these tables. `further`: rows behind the means of other tables."""
    every = [*(standing.row for ranking in rankings for standing in ranking.standings), *further]
    rows = list({row.run_id: row for row in every}.values())  # each run counts once
    of_rows = [costs.cost(row) for row in rows]
    filled = [title for number, title in enumerate(TITLES) if any(cost.texts[number] for cost in of_rows)]
    return _notes(filled, rows, of_rows)


def cost_values(standings: Iterable[Standing], costs: Costs) -> dict[str, dict[str, Any]]:
    """The costs of runs as JSON values, by run id."""
    return costs_of_rows((standing.row for standing in standings), costs)


def _values(cost: RunCost) -> dict[str, Any]:
    names = ("n_params", "flops", "seconds_per_image", "seconds_per_episode", "machine", "of_others", "with_start")
    return {_JSON.get(name, name): getattr(cost, name) for name in names}
