"""A run without a test beside tested ones is called untested: it is neither as good as the best nor worse."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report import page
from fewshot.report.comparisons.benchmark_ranking import benchmark_rankings_of
from fewshot.report.comparisons.contests import contests
from fewshot.report.comparisons.matrices import matrices
from fewshot.report.comparisons.ranking import rankings, rankings_of
from fewshot.report.rows.reasons import one_episode
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.markdown_report import markdown_report
from fewshot.report.tables.ranked import ranked_table
from fewshot.results.files import Results
from fewshot.results.row import Row
from tests.support.benchmark_rows import SETS, benchmark_rows, set_row
from tests.support.ranked_runs import ranked_runs
from tests.support.report_rows import row

HEADS = {"Prototype(metric='euclidean')": 0.4, "LinearProbe(C=1.0, max_iter=100)": 0.1}
OPEN = {"n_way": None, "k_shot": None, "n_query": None}
WHOLE = "WholePartitions(train=('partition=train',), validation=(), test=('partition=test',))"
DEPENDENT = "RepeatedPermutation(support_from='partition=train', query_from='partition=test', numpy_seed=42)"


def single(accuracy: float, evaluator: str = "RidgeProbe()", **columns: object) -> Row:
    """A row of one episode."""
    values = {"n_episodes": 1, "accuracy_reason": "one episode has no spread", "n_classes": 24}
    return row(accuracy, None, evaluator=evaluator, **values | columns)


def with_single(folder: Path, accuracy: float) -> tuple[list[Row], Results]:
    """Two tested runs, and one of a single episode with its predictions."""
    rows, results = ranked_runs(folder, HEADS)
    alone = single(accuracy)
    results.parts(alone.run_id).write(next(results.predictions(rows[0]))[:1], {})
    results.append(alone)
    return [*rows, alone], results


@pytest.mark.parametrize("accuracy", [0.1, 0.9, 0.999])
def test_a_run_of_one_episode_is_not_tested_and_every_view_says_so(accuracy: float, tmp_path: Path) -> None:
    rows, results = with_single(tmp_path, accuracy)
    [ranking] = rankings(rows, results.predictions)
    assert {one.name for one in ranking.group} == {ranking.best.name}
    assert "LinearProbe" in ranking.best.name
    assert ranking.standings[-1].untested == "it has one episode"
    assert " is the best of the 2 tested runs: " in ranking.verdict
    assert ranking.verdict.endswith("RidgeProbe was not tested (it has one episode), so it may be better or worse.")
    assert "may be as good" not in ranking.verdict
    line = next(text for text in ranked_table([ranking], 120).splitlines() if "RidgeProbe" in text and "%" not in text)
    assert "not tested" in line
    assert not line.startswith("*")
    html = page(Shown.of(rows), results, "mine")
    assert "Not tested (1 run)" in html
    cells = [
        text for text in markdown_report(Shown.of(rows), []).splitlines() if text.startswith("| ") and "Ridge" in text
    ]
    assert len(cells) == 1
    assert "≈" not in cells[0]


@given(st.lists(st.tuples(st.sampled_from([1, 40]), st.floats(0.05, 0.95)), min_size=2, max_size=7))
def test_no_run_of_one_episode_is_ever_in_the_group(runs: list[tuple[int, float]]) -> None:
    several = [
        row(value, 0.02, evaluator=f"Head{number}()", n_episodes=n) if n > 1 else single(value, f"Head{number}()")
        for number, (n, value) in enumerate(runs)
    ]
    [ranking] = rankings(several)
    n_tested = sum(n > 1 for n, _ in runs)
    assert all(one.row.n_episodes > 1 for one in ranking.group)
    assert bool(ranking.group) == (n_tested > 1)
    untested = [one for one in ranking.standings if one.untested]
    assert len(untested) == (len(runs) - n_tested if n_tested > 1 else 0)
    assert ("not tested" in ranking.verdict) == (n_tested < len(runs))


def test_the_comparison_leaves_out_single_episodes_and_names_them(tmp_path: Path) -> None:
    rows, results = with_single(tmp_path, 0.9)
    [contest], [other] = contests(results, rows, "anything")
    assert set(contest.rows) == set(rows[:2])
    assert other.names_run
    assert other.row is rows[2]
    assert other.reason.endswith("run more episodes")
    [matrix] = matrices(Shown.of(rows), results)
    assert len(matrix.lines) == 2


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({}, "run more episodes"),
        ({"protocol": "vtab_1k@1", "benchmark_set": "dtd"}, "only means over 5 or more sets of vtab_1k@1 have a test"),
        ({"sampler": WHOLE, **OPEN}, "there are no more, so nothing can be said of the difference"),
        (OPEN, "there are no more, so nothing can be said of the difference"),
        ({"sampler": DEPENDENT, "n_episodes": 5}, "count as one, so nothing can be said of the difference"),
        (
            {"sampler": DEPENDENT, "n_episodes": 5, "protocol": "mieb_few_shot@1", "benchmark_set": "dtd"},
            "count as one; only means over 5 or more sets of mieb_few_shot@1 have a test",
        ),
    ],
)
def test_more_episodes_are_advised_only_where_there_are_more(
    columns: dict[str, object], what: str, tmp_path: Path
) -> None:
    rows = [single(0.5 + 0.1 * number, f"Head{number}()", protocol="", **{}) for number in range(2)]
    rows = [Row(**vars(one) | columns) for one in rows]
    assert one_episode(rows[0]).endswith(what)
    with pytest.raises(ValueError, match=what):
        contests(Results(tmp_path / "runs.jsonl"), rows, "anything")
    [ranking] = rankings(rows)
    told = [*ranking.caveats, ranking.verdict]
    assert any("Run more episodes." in text for text in told) == (what == "run more episodes")


def test_a_mean_over_fewer_sets_says_that_no_test_compares_it_with_the_others(tmp_path: Path) -> None:
    results = benchmark_rows(tmp_path, {"Prototype()": 0.2, "RidgeProbe()": 0.3})
    for name in SETS[:7]:
        results.append(set_row(name, 0.9, evaluator="LinearSVM()"))
    shown = Shown.of(results.rows())
    whole, part = benchmark_rankings_of(shown, rankings_of(shown, results.predictions), results.predictions)
    assert "No test compares them with 1 method on other sets or copies." in whole.ranking.verdict
    assert "No test compares it with 2 methods on other sets or copies. This is not" in part.ranking.verdict
