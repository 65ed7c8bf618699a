"""Rows as tables for people: one per task, one line per contender, one column per shot. For HTML, console and
README."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from html import escape
from typing import NamedTuple

from fewshot.report.rows import intervals
from fewshot.report.rows import selection_budgets as budgets
from fewshot.report.rows.contenders import Contender
from fewshot.report.rows.intervals import Kind
from fewshot.report.rows.selection_budgets import is_oracle
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.support_draws import DRAWS, DrawsLine, draws_lines, unreadable
from fewshot.report.rows.tasks import Task, accuracy, measured, overlap, shot_label
from fewshot.report.rows.wording import details, notes, percent
from fewshot.results.row import Row

TIE = "≈"
SKEWED = "Dirichlet"  # before the score with unequal query shares
UNFINISHED = "†"
CUT = "First [ ]"
BOLD = "Bold: best of the column."
LEGENDS = (
    f"{CUT}:",
    f"{TIE}:",
    f"{UNFINISHED}:",
    f"({SKEWED}):",
    "[ ]",
    intervals.THESE_IMAGES,
)  # starts of notes on signs


@dataclass(frozen=True)
class Cell:
    """An accuracy in %. `best` of its column, or `tied`: it may be as good as the best. `unfinished`: some
    episodes did not converge. `value` orders cells; `details` describes the run."""

    text: str = ""
    best: bool = False
    tied: bool = False
    unfinished: bool = False
    value: float | None = None
    details: str = ""
    run_id: str = ""
    further: str = ""  # intervals beside that for these images; a note explains them

    @property
    def signs(self) -> str:
        """The signs that notes explain."""
        return (TIE if self.tied else "") + (UNFINISHED if self.unfinished else "")


@dataclass(frozen=True)
class Line:
    """A contender with one cell per shot. `title`: the full specs. `contender`: its number among all contenders."""

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
    """The table of one task, with one note per line. `draws`: runs that answer whole test sets, draw by draw."""

    title: str
    shots: tuple[str, ...]
    lines: tuple[Line, ...]
    caption: str
    notes: tuple[str, ...] = ()
    draws: tuple[DrawsLine, ...] = ()
    draws_caption: str = ""

    @property
    def remarks(self) -> list[str]:
        """The notes of its lines, each once with the runs that it applies to. For tables without a column of notes."""
        return remarks(self.lines)


class Columns(NamedTuple):
    """Columns beside the accuracies of a table: their titles, and their texts for every line."""

    titles: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


def comparison(shown: Shown) -> list[TaskTable]:
    """One table per task, in order of appearance, without failed rows."""
    return [task_table(task, shown) for task in shown.tasks]


def most_accurate_first(lines: Sequence[Line]) -> list[Line]:
    """The lines by their accuracies at the fewest shots, highest first; of equal ones by the next shots, and those
    without a number last."""
    lowest = -math.inf
    return sorted(lines, key=lambda line: [-(lowest if c.value is None else c.value) for c in line.cells])


def in_common(notes: Sequence[Sequence[str]]) -> list[str]:
    """The notes to show once below several tables, instead of below each; none for a single table. These are the notes
    that all tables have, and legends of signs that several have and none contradicts."""
    if len(notes) < 2:
        return []
    every = dict.fromkeys(note for own in notes for note in own)
    signs = Counter(note.partition(":")[0] for note in every)
    count = Counter(note for own in notes for note in own)
    return [
        note
        for note in every
        if count[note] == len(notes)
        or (count[note] > 1 and note.startswith(LEGENDS) and signs[note.partition(":")[0]] == 1)
    ]


def markdown(shown: Shown) -> str:
    """The tables as GitHub markdown: the best in bold, notes as lists, and what all tables share once below them."""
    return tables_as_markdown(comparison(shown))


def tables_as_markdown(tables: Sequence[TaskTable], further: Sequence[Columns] = ()) -> str:
    """These tables as GitHub markdown. `further`: columns of each table beside its accuracies."""
    if not tables:
        return "No run has finished.\n"
    columns = further or [Columns((), ((),) * len(table.lines)) for table in tables]
    shared = [BOLD, *in_common([table.notes for table in tables])]
    if len(tables) == 1:
        return _markdown(tables[0], [BOLD, *tables[0].notes], columns[0]) + "\n"
    parts = [
        _markdown(table, [note for note in table.notes if note not in shared], own)
        for table, own in zip(tables, columns, strict=True)
    ]
    return "\n\n".join([*parts, f"All tables:\n\n{bullets(shared)}"]) + "\n"


def _markdown(table: TaskTable, own: Sequence[str], further: Columns) -> str:
    from tabulate import tabulate

    header = ["backbone", "evaluator", *table.shots, "episodes", *further.titles]
    cells = [
        [plain(line.backbone), plain(line.learner), *map(marked, line.cells), line.n_episodes, *texts]
        for line, texts in zip(table.lines, further.texts, strict=True)
    ]
    text = tabulate(cells, header, "github", disable_numparse=True)
    parts = [f"**{plain(table.title)}**", text, plain(table.caption), bullets([*own, *remarks(table.lines)])]
    if table.draws:
        draws = [[plain(cell) for cell in astuple(line)] for line in table.draws]
        parts += [tabulate(draws, DRAWS, "github", disable_numparse=True), plain(table.draws_caption)]
    return "\n\n".join(filter(None, parts))


def bullets(notes: Sequence[str]) -> str:
    """Notes as a markdown list, one per line; "" for none."""
    return "\n".join(f"- {plain(note)}" for note in notes)


def task_table(task: Task, shown: Shown) -> TaskTable:
    """The table of one task: one line per contender, or more if a contender has several rows at one shot."""
    kinds = intervals.beside(task.rows)
    lines = tuple(
        _line(task, rows, each, kinds, shown) for each, own in task.by_contender.items() for rows in one_per_shot(own)
    )
    return TaskTable(
        task.title, tuple(task.shots), lines, _caption(task), _notes(task, shown), *draws_lines(task, shown)
    )


def one_per_shot(rows: Sequence[Row]) -> list[dict[str, Row]]:
    """Rows by shot. If a shot has several rows (other weights, another release), there are as many lines."""
    lines: list[dict[str, Row]] = []
    placed: Counter[str] = Counter()
    for row in rows:
        shot = shot_label(row)
        if placed[shot] == len(lines):
            lines.append({})
        lines[placed[shot]][shot] = row
        placed[shot] += 1
    return lines


def _line(task: Task, rows: dict[str, Row], of: Contender, kinds: Sequence[Kind], shown: Shown) -> Line:
    own = list(rows.values())
    counts = list(dict.fromkeys(row.n_episodes for row in own))
    chosen = [f"{shot}: {row.chosen}" for shot, row in rows.items() if row.chosen]
    title = "\n".join(filter(None, (own[0].backbone, own[0].transform, own[0].evaluator, *chosen)))
    cells = tuple(_cell(rows.get(shot), task.best.get(shot), kinds, shown) for shot in task.shots)
    numbers = " / ".join(map(str, counts))
    return Line(*shown.names[of], cells, numbers, min(counts), notes(own), title, shown.numbers[of])


def _cell(row: Row | None, best: Row | None, kinds: Sequence[Kind], shown: Shown) -> Cell:
    if row is None:
        return Cell()
    known, other = measured(row), shown.skewed.get(row.run_id)
    text = f"{100 * accuracy(row):.1f}" if known and intervals.KINDS[2] in kinds else percent(row)
    return Cell(
        text=text + (f" ({SKEWED} {100 * accuracy(other):.1f})" if other else ""),
        best=row is best,
        tied=known and best is not None and _ties(row, best, shown),
        unfinished=row.n_not_converged > 0,
        value=row.accuracy if known else None,
        details=details(row),
        run_id=row.run_id,
        further=" ".join(intervals.texts(row, kinds)) if known else "",
    )


def _ties(row: Row, best: Row, shown: Shown) -> bool:
    """Whether a row may be as good as the best: by the rankings of the report, else, in a table without predictions, by
    its interval. An oracle takes no part, and nothing is as good as a best that has no test."""
    may_lead = overlap(row, best) if shown.leaders is None else {row.run_id, best.run_id} <= shown.leaders
    return row is not best and not is_oracle(row) and may_lead


def _caption(task: Task) -> str:
    """What the numbers are, and the accuracy of guessing."""
    interval = f" ± 95 % interval for {task.population}" if _with_plus_minus(task) and task.population else ""
    chance = "" if task.chance is None else f" Guessing reaches {round(100 * task.chance, 1):g} %."
    return f"Accuracy in %{interval}.{chance}"


def _with_plus_minus(task: Task) -> bool:
    """Whether the cells show the interval for these images."""
    return intervals.KINDS[2] not in intervals.beside(task.rows)


def _notes(task: Task, shown: Shown) -> tuple[str, ...]:
    """The notes of a table: its signs, its intervals and its warnings."""
    tied = any(
        measured(row) and _ties(row, best, shown) for shot, best in task.best.items() for row in task.by_shot[shot]
    )
    plus_minus = _with_plus_minus(task)
    overlaps = f"its interval{'' if plus_minus else ' for these images'} overlaps that of the best"
    sign = overlaps if shown.leaders is None else "may be as good, by the ranking"
    texts = {
        "Only runs with the most episodes can be best.": len({row.n_episodes for row in task.rows}) > 1,
        f"{TIE}: {sign}.": tied,
        f"{UNFINISHED}: some episodes did not converge.": any(row.n_not_converged for row in task.rows),
        f"({SKEWED}): the same method with unequal query shares.": any(r.run_id in shown.skewed for r in task.rows),
        intervals.THESE_IMAGES: plus_minus and task.population == "these images",
        f"{CUT}: in place of ±, where it would reach below 0 or above 100.": plus_minus
        and any("[" in percent(r) for r in task.rows),
    }
    signs = [text for text, applies in texts.items() if applies]
    return (*signs, *intervals.meaning(task.rows), *budgets.warnings(task.rows), *unreadable(task.rows))


def marked(cell: Cell) -> str:
    """The cell in markdown, the best in bold."""
    return " ".join(filter(None, (f"**{cell.text}**" if cell.best else cell.text, plain(cell.further), cell.signs)))


def remarks(lines: Sequence[Line]) -> list[str]:
    """Every note once, with the contenders that it applies to."""
    by_note: dict[str, list[Line]] = {}
    for line in lines:
        for note in line.notes:
            by_note.setdefault(note, []).append(line)
    count = Counter(line.backbone for line in lines)
    return [_remark(note, own, count) for note, own in by_note.items()]


def remark(note: str, lines: Sequence[Line], where: str = "") -> str:
    """A note with the tasks and the contenders that it applies to."""
    count = Counter(line.backbone for line in lines)
    return _remark(note, [line for line in lines if note in line.notes], count, where)


def _remark(note: str, own: Sequence[Line], count: Mapping[str, int], where: str = "") -> str:
    """The note of some lines. `count`: how many lines there are per backbone. A backbone stands alone if all of its
    lines have the note."""
    noted = Counter(line.backbone for line in own)
    names = dict.fromkeys(
        line.backbone if noted[line.backbone] == count[line.backbone] else f"{line.backbone} with {line.learner}"
        for line in own
    )
    everyone = len(own) == sum(count.values())
    return f"{note[0].upper()}{note[1:]}{where}. Applies to {'all runs' if everyone else ', '.join(names)}."


def plain(text: str) -> str:
    """Text that markdown shows unchanged, also inside a table."""
    for sign in "\\`*[]|":
        text = text.replace(sign, f"\\{sign}")
    return escape(text, quote=False)
