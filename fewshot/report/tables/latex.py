"""Tables of accuracies for a paper in LaTeX, with the package booktabs; tables longer than a page need longtable."""

from __future__ import annotations

from fewshot.report.rows.shown import Shown
from fewshot.report.tables.task_table import BOLD, LEGENDS, Cell, Line, TaskTable, comparison, most_accurate_first

_MOST_ON_A_PAGE = 40  # lines of a table
_SPECIAL = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "…": r"\dots{}",
    "≈": r"$\approx$",
    "†": r"$\dagger$",
    "[": "{[}",  # after the end of a line, LaTeX reads a bracket as a distance
    "]": "{]}",
}


def latex(shown: Shown) -> str:
    """One LaTeX table per task, the most accurate runs first: accuracy in % with its 95 % intervals, the best in bold.
    The legend of signs and brackets stands below the table; the other notes are comments."""
    tables = comparison(shown)
    if not tables:
        return "% No run has finished.\n"
    packages = "booktabs,longtable" if any(map(_is_long, tables)) else "booktabs"
    return "\n".join([f"% needs \\usepackage{{{packages}}}", *map(_table, tables)])


def _is_long(table: TaskTable) -> bool:
    return len(table.lines) > _MOST_ON_A_PAGE


def _table(table: TaskTable) -> str:
    signs = [note for note in table.notes if note.startswith(LEGENDS)]
    others = [note for note in (*table.notes, *table.remarks) if note not in signs]
    legend = escaped(" ".join([BOLD, *signs]))
    parts = _long_table(table, legend) if _is_long(table) else _float(table, legend)
    return "\n".join([*parts, *(f"% {_comment(note)}" for note in others), ""])


def _float(table: TaskTable, legend: str) -> list[str]:
    """A table of one page, which LaTeX places."""
    return [
        r"\begin{table}",
        r"\centering",
        _caption(table),
        rf"\begin{{tabular}}{{{_columns(table)}}}",
        *_heading(table),
        *map(_line, most_accurate_first(table.lines)),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\par\smallskip{{\footnotesize {legend}}}",
        r"\end{table}",
    ]


def _long_table(table: TaskTable, legend: str) -> list[str]:
    """A table over several pages, with its heading on each."""
    return [
        rf"\begin{{longtable}}{{{_columns(table)}}}",
        rf"{_caption(table)} \\",
        *_heading(table),
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *map(_line, most_accurate_first(table.lines)),
        r"\end{longtable}",
        rf"{{\footnotesize {legend}\par}}",
    ]


def _caption(table: TaskTable) -> str:
    return rf"\caption{{{escaped(table.title)}. {escaped(table.caption)}}}"


def _columns(table: TaskTable) -> str:
    return "ll" + "r" * len(table.shots)


def _heading(table: TaskTable) -> list[str]:
    header = " & ".join(["Backbone", "Evaluator", *map(escaped, table.shots)])
    return [r"\toprule", rf"{header} \\", r"\midrule"]


def _line(line: Line) -> str:
    return rf"{' & '.join([escaped(line.backbone), escaped(line.learner), *map(_cell, line.cells)])} \\"


def _cell(cell: Cell) -> str:
    number = rf"\textbf{{{escaped(cell.text)}}}" if cell.best else escaped(cell.text)
    return " ".join(filter(None, (number, escaped(cell.further), escaped(cell.signs))))


def _comment(text: str) -> str:
    """The text on one line, so that none of it leaves the comment."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def escaped(text: str) -> str:
    """Text that LaTeX shows as it is, on one line."""
    return "".join(_SPECIAL.get(sign, sign) for sign in _comment(text))
