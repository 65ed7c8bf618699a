"""All tasks of some rows in one table, small enough for a README: one line per contender, one column per task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress

from fewshot.plugins.wording import counted, listed
from fewshot.report.rows import intervals
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, interval
from fewshot.report.tables.task_table import BOLD, TIE, UNFINISHED, Cell, TaskTable, bullets, comparison, plain, remark
from fewshot.results.row import Row


def overview(shown: Shown) -> str:
    """A GitHub table of the accuracies without intervals: the shots of a task separated by slashes, the best of each in
    bold. Below it what all tasks share, and the widest interval."""
    from tabulate import tabulate

    tables = comparison(shown)
    if not tables:
        return "No run has finished.\n"
    shared, names = _headings(tables)
    text = tabulate(_lines(tables), ["backbone", "evaluator", *map(plain, names)], "github", disable_numparse=True)
    notes = [*_notes(shown.tasks, tables), *_remarks(tables, names)]
    return f"{text}\n\n{plain(_caption(shown.tasks, tables, shared))}\n\n{bullets(notes)}\n"


def _remarks(tables: Sequence[TaskTable], names: Sequence[str]) -> list[str]:
    """Every note of the lines once, with the columns and contenders that it applies to."""
    texts = []
    for note in dict.fromkeys(note for table in tables for line in table.lines for note in line.notes):
        noted = [any(note in line.notes for line in table.lines) for table in tables]
        columns = dict.fromkeys(name.partition(": ")[0] for name in compress(names, noted))
        where = "" if all(noted) else f" ({'; '.join(columns)})"
        texts.append(remark(note, [line for table in compress(tables, noted) for line in table.lines], where))
    return texts


def _headings(tables: Sequence[TaskTable]) -> tuple[list[str], list[str]]:
    """The parts of the titles that all tasks share, and for every task the other parts, with its shots if they
    differ."""
    parts = [table.title.split(", ") for table in tables]
    shared = [part for part in parts[0] if all(part in others for others in parts)] if len(tables) > 1 else []
    names = [", ".join(part for part in title if part not in shared) or title[0] for title in parts]
    if len({table.shots for table in tables}) > 1:
        names = [f"{name}: {' / '.join(table.shots)}" for name, table in zip(names, tables, strict=True)]
    return shared, names


def _lines(tables: Sequence[TaskTable]) -> list[list[str]]:
    """Names and cells of every contender; several lines if it has several in a table."""
    cells: dict[tuple[str, str, int], dict[int, str]] = {}
    for column, table in enumerate(tables):
        placed: Counter[tuple[str, str]] = Counter()
        for line in table.lines:
            name = line.backbone, line.learner
            cells.setdefault((*name, placed[name]), {})[column] = " / ".join(map(_short, line.cells))
            placed[name] += 1
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


def _caption(tasks: Sequence[Task], tables: Sequence[TaskTable], shared: Sequence[str]) -> str:
    """What the numbers are, and the accuracy of guessing if it is one number."""
    counts = sorted({row.n_episodes for task in tasks for row in task.rows})
    at = f" at {' / '.join(tables[0].shots)}" if len({table.shots for table in tables}) == 1 else ""
    most = counted(counts[-1], "episode")
    episodes = f"{counts[0]:,} to {most}" if len(counts) > 1 else most
    text = ", ".join([f"Accuracy in %{at}, mean of {episodes}", *shared]) + "."
    chances = {task.chance for task in tasks}
    if len(chances) == 1 and None not in chances:
        text += f" Guessing reaches {round(100 * (chances.pop() or 0), 1):g} %."
    return text


def _notes(tasks: Sequence[Task], tables: Sequence[TaskTable]) -> Iterator[str]:
    """The signs, the widest intervals and the warnings, one sentence each."""
    rows = [row for task in tasks for row in task.rows]
    cells = [cell for table in tables for line in table.lines for cell in line.cells]
    tied = f" {TIE}: its interval overlaps that of the best." if any(cell.tied for cell in cells) else ""
    yield BOLD + tied
    if any(cell.unfinished for cell in cells):
        yield f"{UNFINISHED}: some episodes did not converge."
    if widths := _widths(tasks, rows):
        yield f"95 % intervals are at most {listed(widths)}."
    if any(task.population == "these images" for task in tasks):
        yield intervals.THESE_IMAGES
    yield from budgets.warnings(rows)


def _widths(tasks: Sequence[Task], rows: Sequence[Row]) -> list[str]:
    """Half the widest interval of every kind: "± 1.1 for these images"."""
    kinds = [(" or ".join(dict.fromkeys(filter(None, (task.population for task in tasks)))), list(map(interval, rows)))]
    kinds += [(kind.population(rows), list(map(kind.bounds, rows))) for kind in intervals.known(rows)]
    return [
        f"± {max(50 * (high - low) for low, high in filter(None, bounds)):.1f} for {population}"
        for population, bounds in kinds
        if any(bounds)
    ]
