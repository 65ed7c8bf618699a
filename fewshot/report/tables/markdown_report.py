"""A report as GitHub markdown: the means of benchmarks over their data sets, and the table of each task with costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
from fewshot.report.rows.costs import Costs
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.benchmark_table import BenchmarkTable, Cell, MeanLine, benchmark_table
from fewshot.report.tables.cost_columns import cost_columns
from fewshot.report.tables.task_table import Columns, comparison, most_accurate_first, plain, tables_as_markdown


def markdown_report(shown: Shown, benchmarks: Sequence[BenchmarkRanking]) -> str:
    """The means first, then the tables, each with the most accurate runs first."""
    tables = [replace(table, lines=tuple(most_accurate_first(table.lines))) for table in comparison(shown)]
    costs = [cost_columns(task, table.lines, shown) for task, table in zip(shown.tasks, tables, strict=True)]
    noted = [replace(table, notes=(*table.notes, *each.notes)) for table, each in zip(tables, costs, strict=True)]
    further = [
        Columns(each.titles, tuple(tuple(cell.text for cell in cells) for cells in each.cells)) for each in costs
    ]
    means = [means_as_markdown(one, shown.costs) for one in benchmarks]
    return "\n\n".join([*means, tables_as_markdown(noted, further)])


def means_as_markdown(one: BenchmarkRanking, costs: Costs) -> str:
    """The ranking of a benchmark as a table of means, its verdict, and a table of the sets."""
    from tabulate import tabulate

    table = benchmark_table(one, costs)
    means = tabulate(
        [_means(line, len(table.lines) > 1) for line in table.lines], _titles(table), "github", disable_numparse=True
    )
    sets = tabulate(
        [_sets(line) for line in table.lines], ["method", *map(plain, table.sets)], "github", disable_numparse=True
    )
    parts = [f"**{plain(table.title)}**", plain(table.verdict), means, plain(table.caption), "Each set:", sets]
    return "\n\n".join(parts)


def _titles(table: BenchmarkTable) -> list[str]:
    minus = ["minus best"] if len(table.lines) > 1 else []
    return ["method", f"mean of {table.mean}", *minus, *map(plain, table.groups), *table.costs]


def _means(line: MeanLine, with_minus: bool) -> Iterator[str]:
    yield f"{plain(line.name)} {line.sign}".rstrip()
    yield f"**{line.mean.text}** {plain(line.mean.bounds)}".rstrip() if line.is_best else _text(line.mean)
    if with_minus:
        yield _text(line.minus)
    yield from map(_text, line.groups)
    yield from (plain(cell.text) for cell in line.costs)


def _sets(line: MeanLine) -> list[str]:
    return [plain(line.name), *map(_text, line.sets)]


def _text(cell: Cell) -> str:
    return plain(f"{cell.text} {cell.bounds}".rstrip())
