"""Tables of accuracies for a paper in LaTeX, with the package booktabs."""

from __future__ import annotations

from fewshot.report.rows.shown import Shown
from fewshot.report.tables.task_table import Cell, Line, TaskTable, comparison

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
    """One LaTeX table per task: accuracy in % with its 95 % intervals, the best in bold; notes are comments."""
    tables = comparison(shown)
    if not tables:
        return "% No run has finished.\n"
    return "\n".join(["% needs \\usepackage{booktabs}", *map(_table, tables)])


def _table(table: TaskTable) -> str:
    header = " & ".join(["Backbone", "Evaluator", *map(escaped, table.shots)])
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(table.title)}. {escaped(table.caption)}}}",
            rf"\begin{{tabular}}{{ll{'r' * len(table.shots)}}}",
            r"\toprule",
            rf"{header} \\",
            r"\midrule",
            *map(_line, table.lines),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            *(f"% {_comment(note)}" for note in (*table.notes, *table.remarks)),
            "",
        ]
    )


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
