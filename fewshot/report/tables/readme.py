"""The tables of a README, made from rows.

Between `<!-- results:quick -->` and `<!-- /results -->` stand the tables of the suite `quick`, one a task: of the rows
whose protocol has that name, such as "quick@1". After `<!-- results:quick compact -->` all its tasks stand in one.
Between `<!-- table:coverage -->` and `<!-- /table -->` stands a table that is made from files of benchmarks/results/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from fewshot.files.atomic import write_atomically
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.overview import overview
from fewshot.report.tables.task_table import markdown
from fewshot.results.row import Row

_MARKED = re.compile(
    r"(<!-- results:(?P<suite>[\w-]+)(?P<compact> compact)? -->\n)(?P<table>.*?)(<!-- /results -->)", re.DOTALL
)
_READY = re.compile(r"(<!-- table:(?P<name>[\w-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
TABLES = ("compare", "coverage")  # what may stand at such a place


def update_readme(path: Path, rows: Sequence[Row], check: bool = False) -> bool:
    """Whether the tables of a README were those of these rows already; if not they are written, unless `check`.

    A ValueError where the file has no marks, or names a suite that no row belongs to.
    """
    text = path.read_text(encoding="utf-8")
    if not suites(path) and not _READY.search(text):
        raise ValueError(
            f"{path} has no place for a table; write <!-- results:quick --> and <!-- /results --> on lines of their own"
        )
    updated = _MARKED.sub(lambda found: f"{found[1]}\n{_table(path, found, rows)}\n<!-- /results -->", text)
    updated = _READY.sub(lambda found: f"{found[1]}\n{ready_table(found['name'])}\n<!-- /table -->", updated)
    if updated != text and not check:
        write_atomically(path, updated.encode())
    return updated == text


def suites(path: Path) -> list[str]:
    """The suites whose tables a README has a place for, in its order."""
    return [found["suite"] for found in _MARKED.finditer(path.read_text(encoding="utf-8"))]


def _table(path: Path, found: re.Match[str], rows: Sequence[Row]) -> str:
    suite = found["suite"]
    chosen = [row for row in rows if row.protocol.partition("@")[0] == suite]
    if not chosen:
        raise ValueError(
            f"{path} has a place for the suite {suite!r}, but none of the {len(rows)} rows belongs to it; "
            f"run: fewshot bench {suite}"
        )
    shown = Shown.of(chosen)
    return overview(shown) if found["compact"] else markdown(shown)


def ready_table(name: str) -> str:
    """One of `TABLES`, from the files of benchmarks/results/ that come with fewshot."""
    from fewshot.benchmarks import FOLDER

    if name == "coverage":
        from fewshot.benchmarks import coverage, coverage_table

        return str(coverage_table.coverage_table(coverage.read()))
    if name == "compare":
        from fewshot.report.comparisons.compared import compared_table

        files = sorted((FOLDER / "results").glob("compare_*.json"))
        return compared_table([json.loads(file.read_text(encoding="utf-8")) for file in files])
    raise ValueError(f"there is no table {name!r}; known: {', '.join(TABLES)}")
