"""The tables of a README, generated from rows.

`<!-- results:quick -->` ... `<!-- /results -->` holds the tables of the suite `quick`, one per task, from the rows
whose protocol has that name, such as "quick@1". `<!-- results:quick compact -->` puts all tasks into one table. `<!--
table:coverage -->` ... `<!-- /table -->` holds a table generated from files of benchmarks/results/."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from fewshot.files.atomic import write_atomically
from fewshot.files.regular import check_regular
from fewshot.plugins.wording import counted
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.overview import overview
from fewshot.report.tables.task_table import markdown
from fewshot.results.row import Row

_OF_SUITE = re.compile(
    r"(<!-- results:(?P<suite>[\w-]+)(?P<compact> compact)? -->\n)(?P<table>.*?)(<!-- /results -->)", re.DOTALL
)
_OF_FILES = re.compile(r"(<!-- table:(?P<name>[\w-]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
TABLES = ("compare", "coverage", "faults", "fuzz", "heads", "probe")  # names of tables that come from files


def update_readme(path: Path, rows: Sequence[Row], check: bool = False) -> bool:
    """Whether the tables of a README match these rows already; writes them if they do not, unless `check`.

    Raises a ValueError if the file has no place for a table, or names a suite without rows.
    """
    text = _text(path)
    if not suites(path) and not _OF_FILES.search(text):
        raise ValueError(
            f"{path} has no place for a table; write <!-- results:quick --> and <!-- /results --> on lines of their own"
        )
    updated = _OF_SUITE.sub(lambda place: f"{place[1]}\n{_table(path, place, rows)}\n<!-- /results -->", text)
    updated = _OF_FILES.sub(lambda place: f"{place[1]}\n{ready_table(place['name'])}\n<!-- /table -->", updated)
    if updated != text and not check:
        write_atomically(path, updated.encode())
    return updated == text


def suites(path: Path) -> list[str]:
    """The suites whose tables a README shows, in its order."""
    return [place["suite"] for place in _OF_SUITE.finditer(_text(path))]


def _text(path: Path) -> str:
    try:
        return check_regular(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text; give a markdown file, such as README.md") from error


def _table(path: Path, place: re.Match[str], rows: Sequence[Row]) -> str:
    suite = place["suite"]
    own = [row for row in rows if row.protocol.partition("@")[0] == suite]
    if not own:
        raise ValueError(
            f"{path} has a place for the suite {suite!r}, but none of {counted(len(rows), 'row')} belongs to it; "
            f"run: fewshot bench {suite}"
        )
    shown = Shown.of(own)
    return overview(shown) if place["compact"] else markdown(shown)


def ready_table(name: str) -> str:
    """One of `TABLES`, from the files of benchmarks/results/ that come with fewshot."""
    from fewshot.benchmarks import FOLDER

    if name == "coverage":
        from fewshot.benchmarks import coverage, coverage_table

        return str(coverage_table.coverage_table(coverage.read()))
    if name in ("heads", "probe"):
        from fewshot.benchmarks import strength_tables

        table = strength_tables.head_table if name == "heads" else strength_tables.probe_table
        return str(table(strength_tables.read()))
    if name in ("faults", "fuzz"):
        from fewshot.benchmarks import fault_table

        of_faults = fault_table.fault_table if name == "faults" else fault_table.fuzz_table
        return str(of_faults(fault_table.read()))
    if name == "compare":
        from fewshot.report.comparisons.compared import compared_table

        files = sorted((FOLDER / "results").glob("compare_*.json"))
        return compared_table([json.loads(file.read_text(encoding="utf-8")) for file in files])
    raise ValueError(f"there is no table {name!r}; known: {', '.join(TABLES)}")
