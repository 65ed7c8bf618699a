"""Tables of accuracies for a paper in LaTeX, with the package booktabs; tables longer than a page need longtable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
from fewshot.report.rows.shown import Shown
from fewshot.report.tables import benchmark_table as means
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


def latex(shown: Shown, benchmarks: Sequence[BenchmarkRanking] = ()) -> str:
    """One LaTeX table per benchmark with the means over its data sets, then one per task, the most accurate runs first:
    accuracy in % with its 95 % intervals, the best in bold. The legend of signs and brackets stands below the table;
    the other notes are comments."""
    tables = comparison(shown)
    if not tables:
        return "% No run has finished.\n"
    layouts = [*(_of_means(means.benchmark_table(one)) for one in benchmarks), *map(_of_task, tables)]
    packages = "booktabs,longtable" if any(one.is_long for one in layouts) else "booktabs"
    return "\n".join([f"% needs \\usepackage{{{packages}}}", *(one.text for one in layouts)])


@dataclass(frozen=True)
class _Layout:
    """A table in LaTeX; all texts are escaped already."""

    caption: str
    alignment: str  # of the columns, such as "llr"
    titles: tuple[str, ...]
    lines: tuple[str, ...]
    legend: str
    comments: tuple[str, ...] = ()

    @property
    def is_long(self) -> bool:
        """Whether it does not fit on a page."""
        return len(self.lines) > _MOST_ON_A_PAGE

    @property
    def text(self) -> str:
        """The table, with comments below it."""
        parts = self._long_table() if self.is_long else self._float()
        return "\n".join([*parts, *(f"% {comment}" for comment in self.comments), ""])

    def _float(self) -> list[str]:
        """A table of one page, which LaTeX places."""
        return [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{self.caption}}}",
            rf"\begin{{tabular}}{{{self.alignment}}}",
            *self._heading(),
            *self.lines,
            r"\bottomrule",
            r"\end{tabular}",
            rf"\par\smallskip{{\footnotesize {self.legend}}}",
            r"\end{table}",
        ]

    def _long_table(self) -> list[str]:
        """A table over several pages, with its heading on each."""
        return [
            rf"\begin{{longtable}}{{{self.alignment}}}",
            rf"\caption{{{self.caption}}} \\",
            *self._heading(),
            r"\endhead",
            r"\bottomrule",
            r"\endfoot",
            *self.lines,
            r"\end{longtable}",
            rf"{{\footnotesize {self.legend}\par}}",
        ]

    def _heading(self) -> list[str]:
        return [r"\toprule", rf"{' & '.join(self.titles)} \\", r"\midrule"]


def _of_task(table: TaskTable) -> _Layout:
    signs = [note for note in table.notes if note.startswith(LEGENDS)]
    others = [note for note in (*table.notes, *table.remarks) if note not in signs]
    return _Layout(
        f"{escaped(table.title)}. {escaped(table.caption)}",
        "ll" + "r" * len(table.shots),
        ("Backbone", "Evaluator", *map(escaped, table.shots)),
        tuple(map(_line, most_accurate_first(table.lines))),
        escaped(" ".join([BOLD, *signs])),
        tuple(map(_comment, others)),
    )


def _of_means(table: means.BenchmarkTable) -> _Layout:
    """The means of a benchmark, and of its groups of sets."""
    several = len(table.lines) > 1
    titles = ["Method", f"Mean of {table.mean}", *["Minus best"] * several, *table.groups]
    return _Layout(
        f"{escaped(table.title)}. {escaped(table.verdict)}",
        "l" + "r" * (len(titles) - 1),
        tuple(map(escaped, titles)),
        tuple(rf"{' & '.join(_mean_cells(line, several))} \\" for line in table.lines),
        escaped(table.caption),
    )


def _mean_cells(line: means.MeanLine, several: bool) -> Iterator[str]:
    yield escaped(f"{line.name} {line.sign}".rstrip())
    mean = rf"\textbf{{{escaped(line.mean.text)}}}" if line.is_best else escaped(line.mean.text)
    yield f"{mean} {escaped(line.mean.bounds)}".rstrip()
    cells = [line.minus] * several + list(line.groups)
    yield from (escaped(f"{cell.text} {cell.bounds}".rstrip()) for cell in cells)


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
