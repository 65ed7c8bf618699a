"""The same rows give the same means with the same intervals to every reader: run, compare, report, exports and README.

Also the means of groups of sets, and those over a part of the sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fewshot.commands._benchmark import Plan
from fewshot.report import page
from fewshot.report.comparisons.benchmark_ranking import rankings_on_sets
from fewshot.report.rows.benchmark_means import Average, averages
from fewshot.report.rows.errors import NEW_TEST_IMAGES, n_test_images
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.exports import exported
from fewshot.report.tables.named_columns import Column, named_columns
from fewshot.results.files import Results
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.readme import _benchmarks
from fewshot.sharing.shared import Shared
from tests.support.benchmark_rows import SETS, TASKS, VTAB, benchmark_rows, one_draw_rows
from tests.support.command_line import succeed

HEADS = {"Prototype()": 0.2, "LinearSVM()": 0.4}
CASES: dict[str, Callable[[Path], Results]] = {
    "one draw per set, tested over sets": lambda folder: one_draw_rows(folder, HEADS),
    "one draw per set, groups not whole": lambda folder: one_draw_rows(folder, HEADS, TASKS[:9]),
    "too few sets for a test": lambda folder: one_draw_rows(folder, HEADS, TASKS[5:9]),
    "one method": lambda folder: one_draw_rows(folder, {"Prototype()": 0.2}),
    "episodes": lambda folder: benchmark_rows(folder, HEADS),
    "episodes of some sets": lambda folder: benchmark_rows(folder, HEADS, SETS[:3]),
}


@pytest.fixture(scope="module", params=CASES)
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return CASES[request.param](tmp_path_factory.mktemp("means"))


@pytest.fixture(scope="module")
def shown(results: Results) -> dict[str, str]:
    """What each reader shows of these results."""
    return readers(results)


def means(results: Results) -> list[Average]:
    """The means that the one function of the package gives."""
    return averages(results.rows(), n_test_images(results.predictions))


def readers(results: Results) -> dict[str, str]:
    """What each reader shows, on one line, without the signs that its format needs."""
    rows = results.rows()
    shown, rankings = Shown.of(rows), rankings_on_sets(rows, None, results.predictions)
    shared = [Shared(row, SharedDesign(), {}) for row in rows]
    texts = {
        "run": Plan(VTAB, []).averages(rows, results.predictions)[0],
        "compare": succeed("compare", results.path),
        "report": page(shown, results, "means").replace('</strong><span class="further">', " "),
        "markdown": succeed("report", results.path, "--markdown").replace("**", ""),
        "export": exported(shown, ".md", rankings).decode().replace("**", ""),
        "latex": exported(shown, ".tex", rankings).decode().replace("{[}", "[").replace("{]}", "]").replace("}", ""),
        "readme": "\n".join(_benchmarks(shared, n_test_images(results.predictions))),
    }
    plain = {name: text.replace("\\", "").replace('<span class="further">', " ") for name, text in texts.items()}
    return {name: " ".join(text.split()) for name, text in plain.items()}


def test_every_reader_shows_every_mean_with_its_interval(results: Results, shown: dict[str, str]) -> None:
    every = means(results)
    assert every
    assert all(one.bracket for one in every)
    for name, text in shown.items():
        for one in every:
            assert one.text in text, (name, one.group)


def test_every_reader_says_what_the_interval_of_a_mean_is_for(results: Results, shown: dict[str, str]) -> None:
    words = "new test images" if means(results)[0].population == NEW_TEST_IMAGES else "other episodes of these"
    assert [name for name, text in shown.items() if words not in text] == []


def test_every_reader_shows_the_groups_and_how_many_of_their_sets_are_there(tmp_path: Path) -> None:
    results = one_draw_rows(tmp_path, HEADS, TASKS[:9])
    groups = {one.group: one.counted for one in means(results)}
    assert groups["natural"] == "7 sets"
    assert groups["specialised"] == "2 of 4 sets"
    assert "structured" not in groups
    for name, text in readers(results).items():
        assert "natural, 7 sets" in text, name
        assert "specialised, 2 of 4 sets" in text, name


def test_compare_gives_the_same_means_as_json_values(results: Results) -> None:
    [one] = json.loads(succeed("compare", results.path, "--json"))["benchmarks"]
    given = [average for standing in one["standings"] for average in standing["averages"]]
    key = ("method", "group", "value", "half_width", "population")
    expected = sorted(tuple(getattr(each, name) for name in key) for each in means(results))
    assert sorted(tuple(each[name] for name in key) for each in given) == expected


def test_rows_without_an_interval_say_what_that_of_their_mean_is_for(tmp_path: Path) -> None:
    results = one_draw_rows(tmp_path, HEADS)
    html = page(Shown.of(results.rows()), results, "means")
    assert "No interval for these images: there is one draw; an interval of a mean over sets is for new test" in html


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_columns_that_do_not_fit_continue_below_with_the_names(width: int) -> None:
    columns = [Column(f"group {number}, 7 sets", ["74.3 [73.1, 75.5]", "8.1"]) for number in range(5)]
    names = ["a network with a long name, L2 + LinearProbe", "short"]
    text = named_columns("mean", names, columns, width)
    assert all(len(line) <= width for line in text.splitlines())
    assert all(column.title in text for column in columns)
    assert text.count("74.3 [73.1, 75.5]") == 5
    assert len({line.split("  ")[0] for line in text.splitlines() if line}) == 3
