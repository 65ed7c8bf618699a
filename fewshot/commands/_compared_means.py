"""`fewshot compare`: the rankings of benchmarks by their means over data sets, as text and as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fewshot.commands._comparison import wrapped
from fewshot.files.terminal import width

if TYPE_CHECKING:
    from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
    from fewshot.report.rows.costs import Costs


def benchmark_text(one: BenchmarkRanking, costs: Costs) -> str:
    """The ranking of a benchmark with the means of its groups of sets, its verdict, its caveats and its costs."""
    from fewshot.report.tables.cost_columns import cost_table
    from fewshot.report.tables.group_means import group_table
    from fewshot.report.tables.ranked import ranked_table

    wide, of_sets = width(), [list(runs.rows.values()) for runs in one.runs]
    sentences = map(wrapped, (one.ranking.verdict, *one.ranking.caveats))
    table = ranked_table([one.ranking], wide, with_verdicts=False)
    groups, of_costs = group_table(one, wide), cost_table(one.ranking, costs, wide, of_sets)
    return "\n\n".join(filter(None, [table, groups, *sentences, of_costs]))


def benchmark_values(one: BenchmarkRanking, costs: Costs) -> dict[str, Any]:
    """The same as JSON values, with the costs of every run behind the means by run id."""
    from fewshot.report.tables.cost_columns import costs_of_rows

    rows = (row for runs in one.runs for row in runs.rows.values())
    return one.values() | {"costs": costs_of_rows(rows, costs)}
