"""Twice the rows are about twice the work, and figures, fits and matrices are bounded."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from fewshot.commands._results import run_table
from fewshot.report import page
from fewshot.report.comparisons.matrices import matrices
from fewshot.report.comparisons.ranking import rankings
from fewshot.report.figures.plots import MOST_TASKS
from fewshot.report.figures.ranked import MOST_LINES
from fewshot.report.rows.headline import compared, findings, scope
from fewshot.report.rows.images import RowImages
from fewshot.report.rows.origins import full_specs, origins, shared
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Sources
from fewshot.report.studies._shot_budgets import shot_curves
from fewshot.report.tables.overview import overview
from fewshot.report.tables.ranked import ranked_table
from fewshot.report.tables.task_table import markdown
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.statistics.best_runs import MOST_PAIRED, N_RIVALS
from tests.support.report_rows import row

MOST_BYTES = 3_000_000  # of a page, whatever it shows
SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {
    "contenders of one task": lambda n: {"backbone": f"Timm(name='net{n % 20}')", "evaluator": f"LinearProbe(C={n}.0)"},
    "tasks of one contender": lambda n: {"dataset": f"ImageFolderSet(root='/set{n}')", "images_digest": f"{n:064x}"},
    "tasks of one title": lambda n: {"seed": n},
    "rows of one cell": lambda n: {"weights_digest": f"{n:064x}"},
    "backbones of one name": lambda n: {"backbone": f"RandomInit(name='n', seed={n})"},
    "notes of many kinds": lambda n: {"backbone": f"Timm(name='net{n}')", "n_not_converged": n},
}


def invented(shape: str, count: int) -> Iterator[Row]:
    return (row(0.2 + 0.7 * (n * 37 % count) / count, **SHAPES[shape](n), seconds_solving=n) for n in range(count))


def ranked(shown: Shown) -> str:
    return ranked_table(rankings(shown.rows), 80)


def everything(rows: Iterator[Row]) -> None:
    """All that is said of rows in words and tables."""
    shown = Shown.of(rows)
    for say in (compared, findings, scope, full_specs, run_table, ranked, markdown):
        say(shown)
    origins(shown.done, shown, shared(shown))
    matrices(shown, None)


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python are called meanwhile."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_rows_are_twice_the_work(shape: str) -> None:
    everything(invented(shape, 10))  # what is imported and compiled once
    few, many = (calls(lambda count=count: everything(invented(shape, count))) for count in (150, 300))
    assert many < 2.2 * few


def test_twice_the_rows_of_one_task_are_twice_the_work_in_a_compact_table() -> None:
    shape = "contenders of one task"
    overview(Shown.of(invented(shape, 10)))
    few, many = (calls(lambda count=count: overview(Shown.of(invented(shape, count)))) for count in (150, 300))
    assert many < 2.2 * few


def test_many_tasks_have_tables_and_the_first_have_figures() -> None:
    text = page(Shown.of(invented("tasks of one title", MOST_TASKS + 3)), None, "many")
    assert text.count('<table class="accuracies') == MOST_TASKS + 3
    assert text.count('<div class="ranking">') == MOST_TASKS
    assert text.count(f"Only the first {MOST_TASKS} tasks have figures.") == 1


def test_a_figure_that_omits_runs_of_a_contender_says_so() -> None:
    rows = [
        replace(each, k_shot=k, run_id=f"{k}-{each.run_id}")
        for k in (1, 5)
        for each in invented("rows of one cell", 12)
    ]
    text = page(Shown.of(rows), None, "alike")
    assert "At most 10 runs of one contender at one shot are shown." in text
    assert sum(f'data-of="0" data-run="{each.run_id}"><title>' in text for each in rows) == 20
    assert "At most 10 runs" not in page(Shown.of([*rows[:10], *rows[12:22]]), None, "alike")


def test_a_ranking_of_very_many_runs_shows_the_best_and_counts_the_others() -> None:
    rows = list(invented("contenders of one task", MOST_LINES + 30))
    text = page(Shown.of(rows), None, "many")
    assert text.count('<span class="place">') == MOST_LINES
    assert "30 less accurate runs are left out." in text


def test_the_most_accurate_learners_of_a_task_are_fitted_and_the_others_counted() -> None:
    rows = [
        row(0.3 + n / 100 + k / 50, k_shot=k, evaluator=f"LinearProbe(C={n}.0)") for n in range(30) for k in (1, 2, 5)
    ]
    learners = shot_curves(Shown.of(rows))
    assert (len(learners.curves), learners.n_others) == (24, 6)
    assert min(each.rows[0].accuracy or 0 for each in learners.curves) == pytest.approx(0.3 + 6 / 100 + 1 / 50)
    assert "6 further learners not fitted." in page(Shown.of(rows), None, "many")


def test_a_ranking_of_more_than_a_thousand_runs_tests_each_against_the_best() -> None:
    rows = list(invented("contenders of one task", MOST_PAIRED + 1))
    (ranking,) = rankings(rows)
    assert any(
        f"{MOST_PAIRED + 1:,} runs was tested against the best {N_RIVALS:,} alone" in one for one in ranking.caveats
    )
    assert ranking.best.accuracy == max(each.accuracy or 0.0 for each in rows)
    assert ranking.best.leads
    assert len(ranking.standings) == len(rows)
    (fewer,) = rankings(rows[:-1])
    assert not any("alone" in caveat for caveat in fewer.caveats)


def test_a_long_table_shows_the_measures_and_hover_texts_of_its_first_lines_and_counts_the_others() -> None:
    names = ("macro_f1", "log_loss")
    rows = [
        replace(each, run_id=f"r{number}", measures=dict.fromkeys(names, 0.5))
        for number, each in enumerate(invented("contenders of one task", 230))
    ]
    text = page(Shown.of(rows), None, "many")
    assert "30 less accurate runs omitted" in text
    assert text.count('data-run="r') >= 230  # every run has its line
    assert "Of 230 lines the first 200" in text
    few = page(Shown.of(rows[:200]), None, "few")
    assert "omitted" not in few
    assert "have texts on hover" not in few


def test_a_page_of_very_many_rows_is_small_and_says_what_it_leaves_out() -> None:
    """Each table keeps its most accurate lines and the best of every column, and counts the others."""
    shapes = product(range(12), range(90), (1, 5))
    rows = [
        row(
            (7 * n + 31 * k + 13 * seed) % 90 / 100,
            seed=seed,
            k_shot=k,
            evaluator=f"LinearProbe(C={n}.0)",
            run_id=f"{seed}-{n}-{k}",
        )
        for seed, n, k in shapes
    ]
    text = page(Shown.of(rows), None, "many")
    assert len(text.encode()) < MOST_BYTES
    tables = re.findall(r'<table class="accuracies.*?</table>', text, re.DOTALL)
    left_out = [int(count) for count in re.findall(r"([0-9]+) less accurate lines are left out", text)]
    lines = [table.count("<tr data-of") for table in tables]
    assert [shown + left for shown, left in zip(lines, left_out, strict=True)] == [90] * 12
    assert all(40 < shown < 60 for shown in lines)
    for table in tables:
        assert table.count("<strong>") == 2
        kept = [float(value) for value in re.findall(r'<tr.*?accuracy".*?data-value="([^"]*)"', table, re.DOTALL)]
        assert kept[:40] == [pytest.approx((89 - place) / 100) for place in range(40)]
    assert text.count("<code>fewshot results list FILE</code>") >= len(tables)
    assert "The first 200 runs" in text
    assert "<code>fewshot results list FILE</code> prints all 2,160 runs" in text


def test_rows_of_very_many_tasks_are_a_small_page() -> None:
    text = page(Shown.of(invented("tasks of one title", 1500)), None, "many")
    assert len(text.encode()) < MOST_BYTES
    assert text.count('<table class="accuracies') == 100
    assert "1,400 more tasks are left out; fewshot results list FILE prints all runs." in text
    assert "1,176 more rankings are left out" in text


def test_the_command_that_prints_all_rows_names_their_files(tmp_path: Path) -> None:
    files = [Results(tmp_path / name) for name in ("a b.jsonl", "c.jsonl")]
    for number, file in enumerate(files):
        file.append(row(0.5, seed=number))
    listing = Sources(Collection.of(files), RowImages().load, ()).listing
    assert listing == "fewshot results list 'a b.jsonl' c.jsonl"
    assert Sources(files[1], RowImages().load, ()).listing == "fewshot results list c.jsonl"


def test_cautions_of_one_kind_are_counted_after_the_sixth() -> None:
    rows = [
        replace(each, evaluator=f"{kind}()", run_id=f"{number}-{kind}", measures={"macro_f1": 0.5, "log_loss": 0.4})
        for number, each in enumerate(row(0.3 + n / 100, episodes_digest="ab" * 32, transform="L2()") for n in range(9))
        for kind in ("Prototype", "LinearProbe")
    ]
    (ranking,) = rankings(rows)
    assert sum(caveat.startswith("Equal to the last digit") for caveat in ranking.suspicions) == 6
    assert "3 more cautions of this kind." in ranking.suspicions
