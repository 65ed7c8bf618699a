"""Rows as files for other programs: CSV and parquet with every column, LaTeX and markdown as tables for a paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fewshot.report.rows.contenders import Name
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.task_table import Line, TaskTable, comparison, markdown

_SPECIAL = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def exported(shown: Shown, suffix: str, names: Mapping[str, str]) -> bytes:
    """The content of a file with this suffix: .csv, .parquet, .tex or .md. `names` replaces short names."""
    named = renamed(shown, names)
    writers: dict[str, Callable[[Shown], str | bytes]] = {
        ".csv": _csv,
        ".parquet": _parquet,
        ".tex": latex,
        ".md": markdown,
    }
    if suffix not in writers:
        raise ValueError(f"give --out a file that ends in {', '.join(writers)}, not in {suffix or 'nothing'!r}")
    content = writers[suffix](named)
    return content if isinstance(content, bytes) else content.encode()


def renamed(shown: Shown, names: Mapping[str, str]) -> Shown:
    """The same rows with other short names; a ValueError for a name that no contender has, or if two become equal."""
    known = {part for name in shown.names.values() for part in name}
    unknown = [old for old in names if not any(old in part for part in known)]
    if unknown:
        raise ValueError(f"nothing is called {unknown[0]!r}; the names are: {', '.join(sorted(known))}")

    def new(part: str) -> str:
        for old, other in names.items():
            part = part.replace(old, other)
        return part

    found = {of: Name(*map(new, name)) for of, name in shown.names.items()}
    if len(set(found.values())) < len(found):
        raise ValueError("after --rename, two contenders have the same name; choose other names")
    return replace(shown, names=found)


def records(shown: Shown) -> list[dict[str, Any]]:
    """One record per row: short names of backbone, evaluator and data set first, then every column."""
    found = []
    for row in shown.rows:
        title = "" if row.status == "failed" else shown.title(row)
        names = {"backbone_name": shown.name(row).backbone, "evaluator_name": shown.name(row).learner}
        found.append({**names, "task": title, **row.columns()})
    return found


def _csv(shown: Shown) -> str:
    lines = records(shown)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in line.items()} for line in lines)
    return file.getvalue()


def _safe(value: Any) -> Any:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _parquet(shown: Shown) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ValueError("a .parquet file needs pyarrow: pip install 'fewshot[parquet]', or give a .csv") from error
    file = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records(shown)), file)
    return bytes(file.getvalue().to_pybytes())


def latex(shown: Shown) -> str:
    """One LaTeX table per task, for the package booktabs: accuracy in % with its 95 % interval, the best in bold."""
    tables = comparison(shown)
    if not tables:
        return "% No run has finished.\n"
    return "\n".join(["% needs \\usepackage{booktabs}", *map(_latex_table, tables)])


def _latex_table(table: TaskTable) -> str:
    header = " & ".join(["Backbone", "Evaluator", *map(escaped, table.shots)])
    lines = [f"{' & '.join(_latex_cells(line))} \\\\" for line in table.lines]
    columns = "ll" + "r" * len(table.shots)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(table.title)}. {escaped(table.caption)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            rf"{header} \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_cells(line: Line) -> list[str]:
    cells = [escaped(cell.text).replace("±", r"$\pm$").replace("–", "--") for cell in line.cells]
    bold = [rf"\textbf{{{text}}}" if cell.best else text for cell, text in zip(line.cells, cells, strict=True)]
    return [escaped(line.backbone), escaped(line.learner), *bold]


def escaped(text: str) -> str:
    """Text that LaTeX shows as it is."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text).replace("≈", r"$\approx$").replace("†", r"$\dagger$")
