"""Rows as tables for people: one a task, one line a contender, one column a shot. For page, console and README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from html import escape

from fewshot.report.rows import intervals
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.contenders import Contender
from fewshot.report.rows.intervals import Kind
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.support_draws import DRAWS, DrawsLine, draws_lines
from fewshot.report.rows.tasks import Task, accuracy, measured, overlap, shot_label
from fewshot.report.rows.wording import details, notes, percent
from fewshot.results.row import Row

TIE = "≈"
UNFINISHED = "†"
SKEWED = "Dirichlet"  # before the score under queries in Dirichlet shares


@dataclass(frozen=True)
class Cell:
    """An accuracy in percent: the best of its column, or one whose interval overlaps that of the best; with episodes
    that were not solved to the end, or without. `value` orders it, `details` tells all of its run."""

    text: str = ""
    best: bool = False
    tied: bool = False
    unfinished: bool = False
    value: float | None = None
    details: str = ""
    run_id: str = ""
    further: str = ""  # intervals for others than these images, which the caption names

    @property
    def signs(self) -> str:
        """The signs that the caption explains."""
        return (TIE if self.tied else "") + (UNFINISHED if self.unfinished else "")


@dataclass(frozen=True)
class Line:
    """A contender with one cell a shot. `title` holds the specs that the labels shorten, `contender` its number among
    all that the rows compare."""

    backbone: str
    learner: str
    cells: tuple[Cell, ...]
    n_episodes: str
    fewest_episodes: int
    notes: tuple[str, ...]
    title: str
    contender: int


@dataclass(frozen=True)
class TaskTable:
    """The comparison of one task; `draws` where each answers a test set as a whole, and what is said of them."""

    title: str
    shots: tuple[str, ...]
    lines: tuple[Line, ...]
    caption: str
    draws: tuple[DrawsLine, ...] = ()
    draws_caption: str = ""

    @property
    def remarks(self) -> list[str]:
        """The notes of its lines, each once with whom it concerns, for a table too wide for a column of them."""
        return remarks(self.lines)


def comparison(shown: Shown) -> list[TaskTable]:
    """One table a task, in order of appearance; failed rows are left out."""
    return [task_table(task, shown) for task in shown.tasks]


def markdown(shown: Shown) -> str:
    """The tables as GitHub markdown: the best in bold, a sign where the interval overlaps that of the best."""
    from tabulate import tabulate

    parts = []
    for table in comparison(shown):
        header = ["backbone", "evaluator", *table.shots, "episodes"]
        lines = [
            [plain(line.backbone), plain(line.learner), *map(marked, line.cells), line.n_episodes]
            for line in table.lines
        ]
        text = tabulate(lines, header, "github", disable_numparse=True)
        parts.append(f"**{plain(table.title)}**\n\n{text}\n\n{plain(' '.join([table.caption, *remarks(table.lines)]))}")
        if table.draws:
            draws = [[plain(cell) for cell in astuple(line)] for line in table.draws]
            parts.append(f"{tabulate(draws, DRAWS, 'github', disable_numparse=True)}\n\n{plain(table.draws_caption)}")
    return "\n\n".join(parts) + "\n" if parts else "No run has finished.\n"


def task_table(task: Task, shown: Shown) -> TaskTable:
    """The table of one task, a line for every contender, or several where it has several rows of one shot."""
    kinds = intervals.known(task.rows)
    lines = tuple(
        _line(task, rows, each, kinds, shown) for each, own in task.by_contender.items() for rows in one_a_shot(own)
    )
    return TaskTable(task.title, tuple(task.shots), lines, _caption(task, shown), *draws_lines(task, shown))


def one_a_shot(rows: Sequence[Row]) -> list[dict[str, Row]]:
    """Rows by shot; where a shot has several (other weights, another release), as many lines as are needed."""
    lines: list[dict[str, Row]] = []
    met: Counter[str] = Counter()
    for row in rows:
        shot = shot_label(row)
        if met[shot] == len(lines):
            lines.append({})
        lines[met[shot]][shot] = row
        met[shot] += 1
    return lines


def _line(task: Task, rows: dict[str, Row], of: Contender, kinds: Sequence[Kind], shown: Shown) -> Line:
    held = list(rows.values())
    counts = list(dict.fromkeys(row.n_episodes for row in held))
    chosen = [f"{shot}: {row.chosen}" for shot, row in rows.items() if row.chosen]
    title = "\n".join(filter(None, (held[0].backbone, held[0].transform, held[0].evaluator, *chosen)))
    cells = tuple(_cell(rows.get(shot), task.best.get(shot), kinds, shown.skewed) for shot in task.shots)
    numbers = " / ".join(map(str, counts))
    return Line(*shown.names[of], cells, numbers, min(counts), notes(held), title, shown.numbers[of])


def _cell(row: Row | None, best: Row | None, kinds: Sequence[Kind], skewed: Mapping[str, Row]) -> Cell:
    if row is None:
        return Cell()
    known, other = measured(row), skewed.get(row.run_id)
    return Cell(
        text=percent(row) + (f" ({SKEWED} {100 * accuracy(other):.1f})" if other else ""),
        best=row is best,
        tied=known and best is not None and _ties(row, best),
        unfinished=row.n_not_converged > 0,
        value=row.accuracy if known else None,
        details=details(row),
        run_id=row.run_id,
        further=" ".join(intervals.texts(row, kinds)) if known else "",
    )


def _ties(row: Row, best: Row) -> bool:
    """Whether a row may be as good as the best; an oracle stands outside the contest."""
    return row is not best and not is_oracle(row) and overlap(row, best)


def _caption(task: Task, shown: Shown) -> str:
    """What the numbers are, what guessing reaches, and what the intervals speak of."""
    said = ["Accuracy in percent" + (" ± 95 % interval" if task.population else "")]
    if task.chance is not None:
        said.append(f"guessing reaches {round(100 * task.chance, 1):g}")
    text = "; ".join(said) + "."
    text += f" The intervals speak of {task.population}." if task.population else ""
    if len({row.n_episodes for row in task.rows}) > 1:
        text += " The best is chosen among the runs of the most episodes."
    tied = any(measured(row) and _ties(row, best) for shot, best in task.best.items() for row in task.by_shot[shot])
    text += f" {TIE} marks intervals that overlap that of the best." if tied else ""
    unfinished = any(row.n_not_converged for row in task.rows)
    text += f" {UNFINISHED} marks runs with episodes that were not solved to the end." if unfinished else ""
    if any(row.run_id in shown.skewed for row in task.rows):
        text += (
            f" In brackets ({SKEWED}) what a transductive method scores where classes have unequal shares of queries."
        )
    return " ".join([text, *intervals.meaning(task.rows), *budgets.warnings(task.rows)])


def marked(cell: Cell) -> str:
    """The cell in markdown, the best in bold."""
    return " ".join(filter(None, (f"**{cell.text}**" if cell.best else cell.text, plain(cell.further), cell.signs)))


def remarks(lines: Sequence[Line]) -> list[str]:
    """Every note once, with whom it concerns."""
    held: dict[str, list[Line]] = {}
    for line in lines:
        for note in line.notes:
            held.setdefault(note, []).append(line)
    count = Counter(line.backbone for line in lines)
    return [_remark(note, of_note, count) for note, of_note in held.items()]


def remark(note: str, lines: Sequence[Line], where: str = "") -> str:
    """A note with where and whom it concerns: a backbone alone where all its lines have it."""
    return _remark(
        note, [line for line in lines if note in line.notes], Counter(line.backbone for line in lines), where
    )


def _remark(note: str, held: Sequence[Line], count: Mapping[str, int], where: str = "") -> str:
    """The note that some lines have; `count` is how many lines there are of each backbone."""
    met = Counter(line.backbone for line in held)
    whom = dict.fromkeys(
        line.backbone if met[line.backbone] == count[line.backbone] else f"{line.backbone} with {line.learner}"
        for line in held
    )
    everyone = len(held) == sum(count.values())
    return f"{note[0].upper()}{note[1:]}{where}: {'all' if everyone else ', '.join(whom)}."


def plain(text: str) -> str:
    """Text that markdown shows as it is, also inside a table."""
    for sign in "\\`*[]|":
        text = text.replace(sign, f"\\{sign}")
    return escape(text, quote=False)
