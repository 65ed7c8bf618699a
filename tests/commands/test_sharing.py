"""`fewshot submit`, `fewshot verify` and `fewshot report --board`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import QUICK, call, fail, misuse, succeed
from tests.support.submissions import change_rows

RUN = ("run", "--data", "birds", *QUICK, "--way", "3", "--shot", "2", "--query", "2", "--results", "mine.jsonl")


@pytest.fixture
def shared(working_folder: None) -> Path:
    """A submission of two heads in the working folder."""
    succeed(*RUN, "--evaluator", "Prototype", "--evaluator", "LinearSVM")
    text = succeed("submit", "mine.jsonl", "--out", "boards/heads", "--authors", "A. A.", "--url", "https://a.example")
    assert text.startswith("boards/heads: 2 runs, ")
    assert text.endswith("check it: fewshot verify boards/heads\n")
    return Path("boards/heads")


def test_a_submission_is_written_verified_recorded_and_ranked(shared):
    text = succeed("verify", shared, "--data", "birds", "--rerun", "1", "--seed", "0", "--by", "Z. Z.")
    reported = text.splitlines()[3]
    assert reported.startswith("  not checked: the seconds, devices, processors, ")
    assert reported.endswith(" of all runs, which the submitter reports")
    assert text.splitlines() == [
        "boards/heads holds: the numbers of 2 runs follow from their predictions",
        "  episodes: 2 of 2 runs as the sampler draws them",
        "  computed again: 1 run, with the same predictions",
        reported,
        "recorded in boards/heads/verification.json as verified by Z. Z.",
    ]
    value = json.loads(succeed("verify", shared, "--json"))
    assert value["holds"] is True
    assert len(value["statistics"]) == 2
    text = succeed("report", "--board", "boards", "--out", "board.html")
    assert text == "leaderboard: board.html, 2 runs of 1 submission in 1 table\n"
    page = Path("board.html").read_text()
    assert "Z. Z. (rerun)" in page
    assert 'href="https://a.example"' in page


def test_a_tampered_submission_exits_with_1_and_says_why(shared):
    change_rows(shared, lambda row: row.update(n_not_converged=3))
    done = call("verify", shared, "--by", "Z. Z.")
    assert done.exit_code == 1
    first, second = done.stdout.splitlines()
    assert first == "boards/heads does not hold: 1 problem"
    assert second.endswith(": n_not_converged is 3 in the row, but its predictions give 0")
    assert not (shared / "verification.json").exists()
    done = call("report", "--board", "boards", "--out", "board.html")
    assert done.exit_code == 1
    assert "  not ranked: heads: run " in done.stdout


def test_a_dry_run_writes_nothing(shared):
    text = succeed("submit", "mine.jsonl", "--out", "other", "--dry-run")
    assert text.startswith("would share 2 runs, ")
    assert text.endswith("in other; the dry run writes nothing\n")
    assert not Path("other").exists()
    assert "the dry run writes nothing" in succeed("report", "--board", "boards", "--out", "b.html", "--dry-run")
    assert not Path("b.html").exists()


def test_a_condition_chooses_what_is_shared(shared):
    value = json.loads(succeed("submit", "mine.jsonl", "--out", "svm", "--where", "evaluator ~ SVM", "--json"))
    assert len(value["runs"]) == 1
    assert value["left_out"] == value["own_code"] == {}


def test_a_rerun_without_a_run_that_can_run_here_is_not_verified(shared):
    Path("birds").rename("elsewhere")
    text = fail("verify", shared, "--rerun", "2", "--by", "Z. Z.")
    assert text == (
        "boards/heads is not verified: --rerun asked for 2 runs, but none of the 2 runs can run here (the images are "
        "not at hand; name them with --data)"
    )
    assert not (shared / "verification.json").exists()


def test_the_images_of_runs_that_were_made_here_are_found(shared, monkeypatch):
    lines = succeed("verify", shared, "--rerun", "2").splitlines()
    assert lines[1:3] == [
        "  episodes: 2 of 2 runs as the sampler draws them",
        "  computed again: 2 runs, with the same predictions",
    ]
    Path("else").mkdir()
    monkeypatch.chdir("else")
    assert "episodes: 2 of 2 runs" in succeed("verify", Path("..") / shared)


def test_each_run_says_in_one_line_which_costs_nobody_checks_and_a_board_says_it_once(shared):
    lines = succeed("verify", shared, "--verbose").splitlines()
    costs = [line for line in lines if ": its seconds, device, processor, " in line]
    assert len(costs) == 2
    assert all(line.endswith(", which the submitter reports") for line in costs)
    succeed("report", "--board", "boards", "--out", "board.html")
    assert Path("board.html").read_text().count("Not checked of any run: seconds") == 1


def test_errors_say_what_to_do(shared):
    assert "boards/heads exists; choose another --out" in fail("submit", "mine.jsonl", "--out", "boards/heads")
    assert "a url starts with https://" in fail("submit", "mine.jsonl", "--out", "x", "--url", "javascript:x")
    assert "Missing option '--out'" in misuse("submit", "mine.jsonl")
    assert "--board takes --out only" in misuse("report", "mine.jsonl", "--board", "boards")
    assert "there is no folder none" in fail("report", "--board", "none")
    assert "there is no folder none" in fail("verify", "none")
