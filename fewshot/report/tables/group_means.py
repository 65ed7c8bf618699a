"""The means of the groups of sets of a benchmark, such as the natural tasks of VTAB, for a terminal."""

from __future__ import annotations

from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
from fewshot.report.tables.cost_columns import MOST_LINES, omitted
from fewshot.report.tables.named_columns import Column, named_columns


def group_table(one: BenchmarkRanking, width: int) -> str:
    """The mean of each group with its interval, and how many of the group's sets it averages, for the best of the
    ranking; "" for a benchmark without groups."""
    names = [standing.name for standing in one.ranking.standings[:MOST_LINES]]
    by_group = list(zip(*(averages[1:] for averages in one.averages[:MOST_LINES]), strict=True))
    if not by_group:
        return ""
    columns = [Column(f"{each[0].group}, {each[0].counted}", [average.text for average in each]) for each in by_group]
    return "\n".join([named_columns("mean", names, columns, width), *omitted(len(one.ranking.standings))])
