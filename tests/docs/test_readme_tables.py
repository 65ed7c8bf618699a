"""Tables made from files of benchmarks/results/: comparisons in docs/numbers.md, coverage in docs/statistics.md,
C and other strengths in docs/evaluators.md, faults in docs/reliability.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewshot.report.comparisons.compared import compared_table
from fewshot.report.tables.readme import TABLES, ready_table, update_readme
from fewshot.results.files import Results
from tests.support.checkout import ROOT

RESULTS = ROOT / "benchmarks" / "results"
PLACES = [("docs/numbers.md", "compare"), ("docs/statistics.md", "coverage")]
PLACES += [("docs/evaluators.md", "probe"), ("docs/evaluators.md", "heads")]
PLACES += [("docs/reliability.md", "faults"), ("docs/reliability.md", "fuzz")]


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_a_page_shows_the_table_of_the_committed_file(page: str, name: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = f"<!-- table:{name} -->\n\n{ready_table(name)}\n<!-- /table -->"
    assert shown in text, f"run: fewshot report --readme {page}"


def test_a_table_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("Start\n<!-- table:compare -->\nold\n<!-- /table -->\nEnd\n")
    assert not update_readme(path, [], check=True)
    assert "old" in path.read_text()
    assert not update_readme(path, [])
    assert path.read_text() == f"Start\n<!-- table:compare -->\n\n{ready_table('compare')}\n<!-- /table -->\nEnd\n"
    assert update_readme(path, [])


def test_an_unknown_table_lists_the_known(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("<!-- table:no -->\n<!-- /table -->\n")
    with pytest.raises(ValueError, match=f"there is no table 'no'; known: {', '.join(TABLES)}"):
        update_readme(path, [])


def test_comparisons_are_those_of_committed_rows() -> None:
    rows = {row.run_id: row for row in Results(RESULTS / "quick.jsonl").rows()}
    for path in RESULTS.glob("compare_*.json"):
        for contest in json.loads(path.read_text(encoding="utf-8"))["contests"]:
            for run in contest["runs"]:
                assert run["these_images"]["mean"] == pytest.approx(rows[run["run_id"]].accuracy)


def test_overlapping_intervals_are_explained_in_words() -> None:
    outputs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("compare_*.json"))]
    text = compared_table(outputs)
    assert text.count("the usual intervals overlap") == 1
    assert "for new classes needs about" in text
    with pytest.raises(ValueError, match="nothing was compared"):
        compared_table([])
