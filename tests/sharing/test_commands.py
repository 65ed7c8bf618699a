"""The commands in the README of a submission recreate its runs: no more, no fewer, with the same run ids."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.sharing.about import About
from fewshot.sharing.commands import ROOT, recreation
from fewshot.sharing.images import AtHand
from fewshot.sharing.submit import submit
from fewshot.sharing.verify import verify
from tests.support.benchmark_folders import PIXELS, PROTOTYPE, class_folders, cut_benchmark
from tests.support.command_line import SUITE, succeed
from tests.support.pictures import write_pictures

SHAPES = (EpisodeShape(3, 1, 2), EpisodeShape(3, 2, 2))
SETS = {"crop_disease": "CropDisease", "eurosat": "EuroSAT"}
BENCHMARK = ("run", "--benchmark", "cd_fsl", "--data", "data", "--partial", *PIXELS, "--results", "mine.jsonl")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with the runs of two of four sets of a benchmark, of a suite, and of a folder."""
    folder = tmp_path_factory.mktemp("commands")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(folder / "home"))
        patch.chdir(folder)
        cut_benchmark(patch, "cd_fsl", shapes=SHAPES, n_episodes=2)
        for below in SETS.values():
            class_folders(folder / "data" / below, dict.fromkeys("abc", 4))
        write_pictures(folder / "data" / "birds", [8] * 4)
        (folder / "birds").symlink_to("data/birds")
        (folder / "own.py").write_text(SUITE.format(shots="1, 2"))
        succeed(*BENCHMARK)
        succeed(*BENCHMARK, *PROTOTYPE, "--dtype", "bfloat16")
        succeed("bench", "own.py", "--results", "mine.jsonl")
        more = ("--way", "3", "--query", "2", "--shot", "1,2", "--episodes", "2", "--results", "mine.jsonl")
        succeed("run", "--data", "data/birds", *PIXELS, *more, "--seed", "3", "--evaluator", "LinearSVM")
        yield folder


def recreated(folder: Path, root: Path) -> tuple[list[str], int]:
    """The states of the runs that the commands of a README plan, where the rows of the submission are stored, and the
    number of the rows. A command finds data by the names that the README gives them."""
    text = (folder / "README.md").read_text().split("## Run it again")[1].split("```")[1]
    lines = [line for line in text.splitlines() if line.startswith("fewshot ")]
    states: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for line in lines:
            words = [str(root) if word == ROOT else word for word in shlex.split(line)[1:]]
            planned = succeed(*words, "--dry-run", "--json", "--results", folder / "rows.jsonl")
            states += [run["state"] for run in json.loads(planned)["runs"]]
    return states, len(Results(folder / "rows.jsonl").rows())


CASES = {
    "all runs": lambda row: True,
    "two sets of four": lambda row: row.benchmark_set and "Linear" in row.evaluator,
    "another head": lambda row: row.benchmark_set and "Prototype" in row.evaluator,
    "one set": lambda row: row.benchmark_set == "eurosat",
    "one shape of two": lambda row: row.benchmark_set and row.k_shot == 1,
    "a set with both shapes, a set with one": lambda row: row.benchmark_set == "eurosat" or row.k_shot == 2,
    "a suite": lambda row: row.protocol == "own@1",
    "a part of a suite": lambda row: row.protocol == "own@1" and row.k_shot == 2,
    "no protocol": lambda row: not row.protocol,
}


@pytest.mark.parametrize("case", CASES)
def test_the_commands_of_a_submission_recreate_exactly_its_runs(place, tmp_path, case):
    held = Collection.of([Results(place / "mine.jsonl")])
    chosen = replace(held, runs=tuple(run for run in held.runs if CASES[case](run.row)))
    assert chosen.runs
    submitted = submit(chosen, tmp_path / "out", About("A"), AtHand(own=True))
    assert len(submitted.runs) == len(chosen.runs), submitted.manifest.left_out
    assert not verify(tmp_path / "out").problems
    states, n_rows = recreated(tmp_path / "out", place / "data")
    assert states == ["done"] * n_rows


def test_two_sets_of_a_benchmark_are_named_and_all_of_them_are_not(place, tmp_path):
    rows = [row for row in Results(place / "mine.jsonl").rows() if row.benchmark_set and row.dtype == "float32"]
    (text,) = recreation(rows).commands
    assert text == (
        "fewshot run --benchmark cd_fsl --data ROOT --backbone 'RawPixels(image_size=4)' "
        "--set crop_disease --set eurosat"
    )
    every = [replace(row, run_id=f"{row.run_id[:8]}{name:>8}", benchmark_set=name) for row in rows[:2] for name in ALL]
    assert recreation(every).commands == (text.partition(" --set")[0],)


ALL = ("crop_disease", "eurosat", "isic", "chestx")


def test_the_readme_says_which_names_stand_for_places(place, tmp_path):
    submit(Collection.of([Results(place / "mine.jsonl")]), tmp_path / "out", About("A"), AtHand(own=True))
    text = (tmp_path / "out" / "README.md").read_text()
    assert "Put your own path in place of:\n\n- ROOT: the folder that holds the data sets of cd\\_fsl\n" in text
    assert "- birds: the data (images digest " in text
    assert "data/birds" not in text


def test_a_stranger_cannot_make_the_commands_import_code(place, tmp_path, monkeypatch):
    (tmp_path / "evil_commands.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    rows = [row for row in Results(place / "mine.jsonl").rows() if row.benchmark_set]
    assert recreation([replace(row, evaluator="evil_commands:Evil()") for row in rows]).commands
