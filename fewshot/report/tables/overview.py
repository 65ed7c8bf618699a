"""All tasks of some rows in one table, small enough for a README: a line a contender, a column a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress

from fewshot.report.rows import intervals
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, interval
from fewshot.report.tables.task_table import TIE, UNFINISHED, Cell, TaskTable, comparison, plain, remark


def overview(shown: Shown) -> str:
    """A GitHub table of the accuracies without their intervals, the shots of a task behind one another, the best of
    each in bold; below it what all of them share, and how wide the widest interval is."""
    from tabulate import tabulate

    tables = comparison(shown)
    if not tables:
        return "No run has finished.\n"
    shared, names = _headings(tables)
    text = tabulate(_lines(tables), ["backbone", "evaluator", *map(plain, names)], "github", disable_numparse=True)
    said = [_caption(shown.tasks, tables, shared), *_remarks(tables, names)]
    return f"{text}\n\n{plain(' '.join(said))}\n"


def _remarks(tables: Sequence[TaskTable], names: Sequence[str]) -> list[str]:
    """Every note once, with the columns and whom it concerns there."""
    said = []
    for note in dict.fromkeys(note for table in tables for line in table.lines for note in line.notes):
        of = [any(note in line.notes for line in table.lines) for table in tables]
        columns = dict.fromkeys(name.partition(": ")[0] for name in compress(names, of))
        where = "" if all(of) else f" ({'; '.join(columns)})"
        said.append(remark(note, [line for table in compress(tables, of) for line in table.lines], where))
    return said


def _headings(tables: Sequence[TaskTable]) -> tuple[list[str], list[str]]:
    """The parts of the titles that all tasks share, and for every task the others, with its shots where they
    differ."""
    parts = [table.title.split(", ") for table in tables]
    shared = [part for part in parts[0] if all(part in others for others in parts)] if len(tables) > 1 else []
    names = [", ".join(part for part in title if part not in shared) or title[0] for title in parts]
    if len({table.shots for table in tables}) > 1:
        names = [f"{name}: {' / '.join(table.shots)}" for name, table in zip(names, tables, strict=True)]
    return shared, names


def _lines(tables: Sequence[TaskTable]) -> list[list[str]]:
    """Names and cells of every contender; one that has several lines in a table has them here."""
    cells: dict[tuple[str, str, int], dict[int, str]] = {}
    for column, table in enumerate(tables):
        met: Counter[tuple[str, str]] = Counter()
        for line in table.lines:
            name = line.backbone, line.learner
            cells.setdefault((*name, met[name]), {})[column] = " / ".join(map(_short, line.cells))
            met[name] += 1
    columns = range(len(tables))
    return [
        [plain(backbone), plain(learner), *(texts.get(column, "–") for column in columns)]
        for (backbone, learner, _), texts in cells.items()
    ]


def _short(cell: Cell) -> str:
    if cell.value is None:
        return "–"
    text = f"{100 * cell.value:.1f}"
    return f"**{text}**" if cell.best else text + cell.signs


def _caption(found: Sequence[Task], tables: Sequence[TaskTable], shared: Sequence[str]) -> str:
    rows = [row for task in found for row in task.rows]
    counts = sorted({row.n_episodes for row in rows})
    at = f" at {' / '.join(tables[0].shots)}" if len({table.shots for table in tables}) == 1 else ""
    episodes = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    said = [f"Accuracy in percent{at}, mean of {episodes} episodes", *shared]
    bounds = [found for found in map(interval, rows) if found is not None]
    if bounds:
        said.append(f"95 % intervals of at most ± {max(50 * (high - low) for low, high in bounds):.1f}")
    chances = {task.chance for task in found}
    if len(chances) == 1 and None not in chances:
        said.append(f"guessing reaches {round(100 * (chances.pop() or 0), 1):g}")
    text = ", ".join(said) + "."
    populations = dict.fromkeys(task.population for task in found if task.population)
    text += f" The intervals speak of {'; or of '.join(populations)}." if populations else ""
    for kind in intervals.known(rows):
        widest = max(50 * (high - low) for low, high in filter(None, map(kind.bounds, rows)))
        text += f" For {kind.words(rows)} they are at most ± {widest:.1f}."
    cells = [cell for table in tables for line in table.lines for cell in line.cells]
    text += " The best of a column are bold."
    text += f" {TIE} marks intervals that overlap that of the best." if any(cell.tied for cell in cells) else ""
    unfinished = any(cell.unfinished for cell in cells)
    text += f" {UNFINISHED} marks runs with episodes that were not solved to the end." if unfinished else ""
    return " ".join([text, *budgets.warnings(rows)])
