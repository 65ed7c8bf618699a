"""`fewshot work` says why tasks failed, and refuses plans that it may not or cannot work on before it takes a task."""

from __future__ import annotations

import json
import sys

import pytest

from tests.support.command_line import call, fail, succeed
from tests.support.work_suites import start, write_suite

OWN = """
from dataclasses import dataclass
from fewshot.evaluators.prototype import Prototype


@dataclass(frozen=True)
class Own(Prototype):
    def fit(self, batch):
        raise ValueError("it never works")
"""

FAILING = """
import os
from dataclasses import dataclass, replace
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.evaluators.prototype import Prototype


def raise_once_more(what):
    with open(what, "a") as file:
        file.write(f"{os.getpid()}\\n")
    raise KeyError(what)


@dataclass(frozen=True)
class Blind(RawPixels):
    def load(self):
        return replace(super().load(), preprocess=lambda image: raise_once_more("embedding"))


@dataclass(frozen=True)
class Stuck(Prototype):
    def fit(self, batch):
        raise_once_more("solving")
"""
FAILING_SUITE = """
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.selection_rule import Selection
from fewshot.runs.specs import RunSpec, Sampled

def suite():
    episodes = Sampled(EpisodeShape(n_way=3, k_shot=1, n_query=4))
    chosen = Selection("oracle", (("C", (0.1, 1.0)),), n_episodes=4)
    for backbone, evaluator, selection in (
        ("failing:Blind(image_size=4)", "Prototype()", None),
        ("failing:Blind(image_size=4)", "NearestNeighbour()", None),
        ("failing:Blind(image_size=4)", "LinearProbe()", chosen),
        ("RawPixels(image_size=4)", "failing:Stuck()", None),
        ("RawPixels(image_size=4)", "Prototype()", None),
    ):
        yield RunSpec({data!r}, backbone, evaluator, episodes, split="AllNovel()", n_episodes=12, selection=selection)
"""
ENGINES = {
    "jobs": [("bench", "suite.py", "--results", "rows.jsonl", "--jobs", "2")],
    "folder": [("bench", "suite.py", "--plan", "plan"), ("work", "plan", "--allow-import", "--results", "rows.jsonl")],
    "dask": [("bench", "suite.py", "--results", "rows.jsonl", "--scheduler", "local:2")],
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_task_fails_once_and_each_run_that_needs_it_has_one_row_with_its_error(engine, folder, tmp_path, monkeypatch):
    if engine == "dask":
        pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "failing.py").write_text(FAILING)
    (tmp_path / "suite.py").write_text(FAILING_SUITE.replace("{data!r}", repr(f"ImageFolderSet({str(folder)!r})")))
    for command in ENGINES[engine]:
        process = start(tmp_path, *command)
        out, err = process.communicate(timeout=300)
        assert process.returncode == (0 if "--plan" in command else 1), out + err
    for what in ("embedding", "solving"):
        assert len((tmp_path / what).read_text().splitlines()) == 1
    rows = lines_of(tmp_path / "rows")
    assert lines_of(tmp_path / "rows.trials" / "rows") == []
    assert len(rows) == len({row["run_id"] for row in rows}) == 5
    failed = {(row["backbone"], row["evaluator"]): row["error"] for row in rows if row["status"] == "failed"}
    assert len(failed) == 4
    for (backbone, _), error in failed.items():
        assert ("'embedding'" if "Blind" in backbone else "'solving'") in error


def lines_of(results):
    """All lines of a results file and of the files of its workers."""
    files = [results.with_suffix(".jsonl"), *results.with_suffix(".rows").glob("*.jsonl")]
    return [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]


@pytest.fixture
def place(folder, tmp_path, monkeypatch):
    """The working folder, with a suite of two evaluators and a module of the user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_failing", raising=False)
    (tmp_path / "own_failing.py").write_text(OWN)
    write_suite(tmp_path, folder, ("Prototype()", "own_failing:Own()"), (1,))
    return tmp_path


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_failed_run_is_one_error_and_exit_code_1(place, quiet):
    succeed("bench", "suite.py", "--plan", "plan")
    result = call("work", "plan", "--allow-import", *quiet)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert result.exit_code == 1
    assert len(errors) == 1
    assert "it never works" in errors[0]
    assert "it never works" in succeed("work", "plan", "--status")
    failures = json.loads(succeed("work", "plan", "--status", "--json"))["failures"]
    assert {each["status"] for each in failures} == {"failed"}
    again = call("work", "plan", "--allow-import", "--json")
    assert (again.exit_code, json.loads(again.stdout)["failures"]) == (1, failures)


def test_jobs_print_the_error_of_a_run_once(place):
    process = start(place, "bench", "suite.py", "--jobs", "2", "--results", "jobs.jsonl")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, out + err
    assert [line.startswith("Error: ") for line in err.splitlines()].count(True) == 1


def test_a_plan_that_would_import_code_is_refused_before_a_task_is_taken(place):
    succeed("bench", "suite.py", "--plan", "plan")
    assert "pass --allow-import if you trust it" in fail("work", "plan")
    assert json.loads(succeed("work", "plan", "--status", "--json"))["done"] == 0
    assert not (place / "plan" / "done").exists()
    assert not (place / "plan" / "rows.jsonl").exists()


def test_a_finished_plan_is_not_written_again(place, folder, monkeypatch):
    write_suite(place, folder, ("Prototype()",), (1,))
    succeed("bench", "suite.py", "--plan", "plan")
    assert "All tasks have ended: 3 tasks, 3 here." in succeed("work", "plan")

    def refuse(path):
        raise OSError(f"cannot write {path}")

    monkeypatch.setattr("fewshot.commands.work.writable_results", refuse)
    assert "All tasks have ended: 3 tasks, 0 here." in succeed("work", "plan")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda tasks: tasks.reverse(), "before one that it needs"),
        (lambda tasks: tasks[0].update(kind="rm"), "a task is of the kind train, embed"),
        (lambda tasks: tasks.append(3), "a task has the fields"),
    ],
)
def test_a_changed_plan_names_its_file(place, change, why):
    succeed("bench", "suite.py", "--plan", "plan")
    plan = json.loads((place / "plan" / "work.json").read_text())
    change(plan["tasks"])
    (place / "plan" / "work.json").write_text(json.dumps(plan))
    sentence = fail("work", "plan")
    assert sentence.startswith("plan/work.json was changed since it was planned: ")
    assert why in sentence
    assert sentence.endswith("`fewshot bench SUITE --plan plan` writes it again")


def test_a_plan_replaces_no_unfinished_runs_of_another_suite(place, folder):
    write_suite(place, folder, ("Prototype()", "NearestNeighbour()"), (1,))
    succeed("bench", "suite.py", "--plan", "plan")
    succeed("bench", "suite.py", "--plan", "plan")
    succeed("bench", "suite.py", "--plan", "plan", "--episodes", "15")
    before = (place / "plan" / "work.json").read_bytes()
    assert "with 2 unfinished runs" in fail("bench", "suite.py", "--plan", "plan")
    write_suite(place, folder, ("Prototype()",), (1,))
    sentence = fail("bench", "suite.py", "--plan", "plan", "--episodes", "15")
    assert sentence.startswith("plan holds a plan with 1 unfinished run that this suite lacks")
    assert "fewshot work plan" in sentence
    assert (place / "plan" / "work.json").read_bytes() == before
    succeed("work", "plan")
    succeed("bench", "suite.py", "--plan", "plan")


def test_a_plan_whose_run_failed_may_be_planned_again(place):
    succeed("bench", "suite.py", "--plan", "plan")
    assert call("work", "plan", "--allow-import").exit_code == 1
    succeed("bench", "suite.py", "--plan", "plan")


@pytest.mark.parametrize(
    "options",
    [("--jobs", "2", "--plan", "plan"), ("--jobs", "2", "--scheduler", "local:2"), ("--plan", "p", "--scheduler", "s")],
)
def test_two_engines_contradict_each_other(place, options):
    assert "give one of them" in call("bench", "suite.py", *options).stderr
    assert call("bench", "suite.py", *options).exit_code == 2


@pytest.mark.parametrize(
    ("scheduler", "why"),
    [
        ("nofile.json", "there is no scheduler file nofile.json; "),
        ("nonsense", "'nonsense' is no scheduler; write an address such as tcp://host:8786, the file of a scheduler, "),
        ("local:", "'local:' is no local cluster"),
    ],
)
def test_a_text_that_is_no_scheduler_names_the_forms(place, scheduler, why, monkeypatch):
    monkeypatch.setattr("fewshot.work.schedulers._FILE_WAIT", 0.1)
    assert fail("bench", "suite.py", "--scheduler", scheduler).startswith(why)


LEAVING = """
import os
import sys
from dataclasses import dataclass
from fewshot.evaluators.prototype import Prototype


@dataclass(frozen=True)
class Leaves(Prototype):
    def fit(self, batch):
        sys.exit(0)


@dataclass(frozen=True)
class Dies(Prototype):
    def fit(self, batch):
        os._exit(1)
"""


def errors_by_evaluator(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({row["run_id"] for row in rows}) == len(rows)
    return {row["evaluator"].partition("(")[0]: row.get("error", "") for row in rows}


@pytest.mark.parametrize("further", [(), ("--jobs", "2")])
def test_code_that_ends_the_process_costs_its_own_run_alone(folder, tmp_path, monkeypatch, further):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaving.py").write_text(LEAVING)
    members = ("leaving:Leaves()", "Prototype()", *(("leaving:Dies()",) if further else ()))
    write_suite(tmp_path, folder, members)
    process = start(tmp_path, "bench", "suite.py", "--results", "rows.jsonl", *further)
    process.communicate(timeout=300)
    assert process.returncode == 1
    errors = errors_by_evaluator(tmp_path / "rows.jsonl")
    assert errors.pop("Prototype") == ""
    assert errors.pop("leaving:Leaves").startswith("SystemExit: 0 in leaving.py, line ")
    assert [error.partition(" gave no sign")[0] for error in errors.values()] == ["3 workers died or"] * len(
        further[:1]
    )
