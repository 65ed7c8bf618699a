"""The README is short and its example runs; tables of docs are those of the committed rows."""

from __future__ import annotations

import re

import pytest

from fewshot.report.rows.shown import Shown
from fewshot.report.tables.overview import overview
from fewshot.report.tables.readme import suites, update_readme
from fewshot.report.tables.task_table import markdown
from fewshot.results.files import Results
from tests.support.checkout import ROOT
from tests.support.report_rows import quick_rows, row


def test_the_python_example_is_short():
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(example.splitlines()) < 10  # tests/docs/test_code_blocks.py runs it


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1500


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Title\n\n<!-- results:quick -->\nold table\n<!-- /results -->\n\nEnd — über\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("page", ["docs/numbers.md", "docs/results.md"])
def test_a_page_shows_the_committed_rows(page):
    named = suites(ROOT / page)
    assert named, f"{page} has no place for a table: <!-- results:quick --> ... <!-- /results -->"
    rows = [row for suite in named for row in Results(ROOT / "benchmarks" / "results" / f"{suite}.jsonl").rows()]
    assert update_readme(ROOT / page, rows, check=True), f"run: fewshot report --readme {page}"


def test_a_table_is_replaced_and_the_rest_stays(readme):
    rows = list(quick_rows())
    assert not update_readme(readme, rows)
    text = readme.read_text(encoding="utf-8")
    assert markdown(Shown.of(rows)) in text
    assert "old table" not in text
    assert text.startswith("# Title\n\n<!-- results:quick -->\n")
    assert text.endswith("<!-- /results -->\n\nEnd — über\n")
    assert update_readme(readme, rows)


def test_a_check_tells_and_changes_nothing(readme):
    before = readme.read_bytes()
    assert not update_readme(readme, list(quick_rows()), check=True)
    assert readme.read_bytes() == before


def test_every_suite_has_its_own_rows(readme):
    with open(readme, "a", encoding="utf-8") as file:
        file.write("<!-- results:other -->\n<!-- /results -->\n")
    update_readme(readme, [row(0.25), row(0.75, protocol="other@2")])
    quick, other = readme.read_text(encoding="utf-8").split("<!-- results:other -->")
    assert ("25.0" in quick, "75.0" in quick) == (True, False)
    assert ("25.0" in other, "75.0" in other) == (False, True)


def test_a_compact_place_has_all_tasks_in_one_table(readme):
    readme.write_text("<!-- results:quick compact -->\nold\n<!-- /results -->\n", encoding="utf-8")
    rows = list(quick_rows())
    assert suites(readme) == ["quick"]
    assert not update_readme(readme, rows)
    assert update_readme(readme, rows)
    text = readme.read_text(encoding="utf-8")
    assert overview(Shown.of(rows)) in text
    assert text.startswith("<!-- results:quick compact -->\n")


def test_an_overview_has_a_column_a_task_and_a_line_a_contender():
    table, caption, notes = overview(Shown.of(list(quick_rows()))).split("\n\n")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert cells[0] == [
        "backbone",
        "evaluator",
        "icons mono, 15 queries per class",
        "icons colour, 5 queries per class",
        "icons both, support from mono, queries from colour, 5 queries per class",
    ]
    assert len(cells) == 2 + 9
    assert cells[3] == [
        "tf_efficientnet_lite0 @128",
        "L2 + LinearProbe(C=1.0)",
        *("**{} / **{}".format(*c) for c in BEST),
    ]
    assert cells[-1][2:] == ["– / 79.0", "–", "–"]
    assert caption == (
        "Accuracy in % at 1 shot / 5 shots, mean of 20 to 600 episodes, novel classes, 5-way. Guessing reaches 20 %."
    )
    assert "- Bold: best of the column. ≈: its interval overlaps that of the best.\n" in notes
    assert "- †: some episodes did not converge.\n" in notes
    assert "- 95 % intervals are at most ± 4.0 for these images.\n" in notes


BEST = (("65.4**", "84.4**"), ("62.4**", "81.4**"), ("56.4**", "75.4**"))


def test_an_overview_loses_no_row():
    rows = [row(0.6), row(0.7, weights_digest="other"), row(0.5, dataset="Glyphs()", k_shot=5), row(None, None, seed=1)]
    table = overview(Shown.of(rows)).split("\n\n")[0].splitlines()
    assert [[c.strip() for c in line.split("|")[3:-1]] for line in table[2:]] == [
        ["60.0", "**50.0**", "–"],
        ["**70.0**", "–", "–"],
    ]
    assert "icons mono, 15 queries per class (seed 0): 1 shot" in table[0]
    assert "glyphs, 15 queries per class: 5 shots" in table[0]
    assert overview(Shown.of([])) == "No run has finished.\n"


def test_rows_of_another_suite_are_an_error(readme):
    with pytest.raises(ValueError, match=r"place for the suite 'quick', but none of 1 row belongs to it; run"):
        update_readme(readme, [row(protocol="")])


def test_a_readme_without_marks_is_an_error(readme):
    readme.write_text("# Title\n")
    with pytest.raises(ValueError, match="has no place for a table"):
        update_readme(readme, [row()])
