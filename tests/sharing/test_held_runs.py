"""A forged copy takes no line of a leaderboard over, whatever its date, and each contradiction is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fewshot.sharing.board import Board, board
from fewshot.sharing.board_page import page
from fewshot.sharing.layout import ABOUT, ROWS
from fewshot.sharing.verify import verify
from tests.support.command_line import call
from tests.support.submissions import change_json, change_rows, copied, own_home, submission

EARLY, LATE = "2020-01-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    with own_home(folder):
        return submission(folder)


def forge(source: Path, target: Path, changes: dict[str, Any], made: str, name: str = "Thief") -> Path:
    """A copy of a submission whose rows say something else, as an older release that wrote other texts."""

    def change(values: dict[str, Any]) -> None:
        values.update(changes | {"versions": "fewshot 0.0.9", "finished": "2019-01-01T00:00:00+00:00"})

    forged = copied(source, target)
    for number in range(len((source / ROWS).read_text(encoding="utf-8").splitlines())):
        change_rows(forged, change, number)
    change_json(forged, ABOUT, lambda held: held.update(name=name, fewshot="0.0.9", made=made))
    return forged


def both(honest: Path, place: Path, changes: dict[str, Any], made: str, folder: str = "a") -> Board:
    copied(honest, place / "m")
    forge(honest, place / folder, changes, made)
    return board(place)


def lines(found: Board) -> set[tuple[str, str]]:
    return {(entry.row.run_id, entry.source.folder.name) for table in found.tables for entry in table.entries.values()}


FORGED = {
    "backbone": {"backbone": "MyNet()"},
    "evaluator": {"evaluator": "SuperNet()"},
    "transform": {"transform": "Mine()"},
    "split": {"split": "mine:Easy()"},
    "own data": {"dataset": "mine:Data()"},
}


@pytest.mark.parametrize("made", [EARLY, LATE])
@pytest.mark.parametrize("what", FORGED)
def test_a_copy_with_another_spec_takes_no_line_over(honest, tmp_path, what, made):
    found = both(honest, tmp_path, FORGED[what], made)
    assert not found.refused
    assert {folder for _, folder in lines(found)} == {"m"}
    (conflict,) = found.conflicts
    assert "Thief has 2 run ids of Two heads, such as " in conflict
    assert "the rows of Thief are not ranked" in conflict
    text = page(found, "board")
    assert "Contradictions" in text
    assert next(iter(FORGED[what].values())) not in text.partition("Contradictions</h2>")[0].partition("<body")[2]


def test_a_contradiction_is_told_on_the_command_line(honest, tmp_path):
    both(honest, tmp_path / "all", FORGED["backbone"], EARLY)
    done = call("report", "--board", tmp_path / "all", "--out", tmp_path / "board.html")
    assert "  contradiction: Thief has 2 run ids of Two heads" in done.stdout
    value = json.loads(call("report", "--board", tmp_path / "all", "--out", tmp_path / "b.html", "--json").stdout)
    assert len(value["contradictions"]) == 1


def test_of_rows_that_nobody_can_check_both_stand_with_a_label(honest, tmp_path):
    forge(honest, tmp_path / "a", {"backbone": "MyNet()"}, EARLY, "First")
    forge(honest, tmp_path / "b", {"backbone": "YourNet()"}, LATE, "Second")
    found = board(tmp_path)
    assert len(lines(found)) == 4
    every = [entry for table in found.tables for entry in table.entries.values()]
    assert all("its run id is another run's too" in entry.labels for entry in every)
    assert {entry.row.backbone for entry in every} == {"MyNet()", "YourNet()"}
    (conflict,) = found.conflicts
    assert conflict.endswith("Neither could be checked, so both are ranked with a label.")
    assert "1:" not in page(found, "board").partition("<body")[2].partition("</table>")[0]


def test_copies_that_agree_are_one_line_and_other_seconds_are_told(honest, tmp_path):
    found = both(honest, tmp_path, {"seconds_per_episode": 1e-9}, EARLY)
    assert len(lines(found)) == 2
    assert not found.conflicts
    also = {text for table in found.tables for entry in table.entries.values() for text in entry.also}
    assert all("the same number" in text and "per episode" in text for text in also)


@pytest.mark.parametrize("made", [EARLY, LATE])
def test_the_name_of_data_is_that_of_checked_rows_and_others_are_named(honest, tmp_path, made):
    changes = {"dataset": "ImageFolderSet(root='imagenet')"}
    copied(honest, tmp_path / "m")
    forged = forge(honest, tmp_path / "a", changes, made)
    (problem, *_) = verify(forged).problems
    assert "dataset calls its images 'imagenet' in the row, but runs.json calls them 'birds'" in problem
    change_json(forged, "runs.json", lambda held: [one.update(dataset="imagenet") for one in held["designs"]])
    copied(honest, tmp_path / "n")
    found = board(tmp_path)
    assert not found.refused
    assert all(table.ranking.task.startswith("birds") for table in found.tables)
    text = page(found, "board")
    assert "Thief calls the same images &#39;imagenet&#39;; whoever submits chooses the name of a folder." in text


def test_the_name_of_a_folder_is_among_what_the_submitter_reports(honest):
    assert "names of the data" in call("verify", honest).stdout


def test_a_version_that_nobody_can_check_heads_no_table_without_a_label(honest, tmp_path):
    found = both(honest, tmp_path, {"protocol": "cifar_fs@99", "benchmark_set": "cifar_fs"}, EARLY)
    assert not found.refused
    assert found.tables[-1].ranking.best.row.protocol == "cifar_fs@99"
    assert all(not table.ranking.best.row.protocol for table in found.tables[:-1])
    assert "(not checked: this release has cifar_fs@1, not cifar_fs@99)" in page(found, "board")
    assert all("cifar_fs@99 not checked" in entry.labels for entry in found.tables[-1].entries.values())
