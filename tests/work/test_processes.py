"""Worker processes: `bench --jobs` and `work FOLDER` give the rows of one process, also when workers die."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time

import pytest

from tests.support.command_line import fail, succeed
from tests.support.work_suites import finish, rows_in, start, write_suite

SLOW = """
import time
from dataclasses import dataclass
from fewshot.evaluators.prototype import Prototype


@dataclass(frozen=True)
class Slow(Prototype):
    def fit(self, batch):
        time.sleep(0.3)
        return super().fit(batch)
"""


def test_jobs_give_the_rows_of_one_process_in_the_same_order(alone, tmp_path):
    text = finish(start(tmp_path, "bench", "suite.py", "--results", "jobs.jsonl", "--jobs", "2"))
    assert rows_in(tmp_path / "jobs.jsonl") == alone
    assert "for 2 workers." in text
    assert "rows: jobs.jsonl" in text
    assert "finished." not in text
    assert not (tmp_path / "jobs.rows").exists()


def test_jobs_say_how_many_runs_are_finished_already(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder, shots=(1,))
    command = ("bench", "suite.py", "--results", "jobs.jsonl")
    succeed(*command)
    write_suite(tmp_path, folder)
    assert "2 of 4 runs are finished." in finish(start(tmp_path, *command, "--jobs", "2")).splitlines()


def test_several_processes_work_on_a_folder(alone, tmp_path):
    assert "Start on any machine that sees it: fewshot work plan" in succeed("bench", "suite.py", "--plan", "plan")
    for text in [finish(process) for process in [start(tmp_path, "work", "plan") for _ in range(2)]]:
        assert "tasks have ended" in text
        assert "rows: plan/rows.jsonl\n" in text
    assert rows_in(tmp_path / "plan" / "rows.jsonl") == alone
    assert not (tmp_path / "plan" / "rows.rows").exists()
    assert " done, 0 claimed, 0 left" in succeed("work", "plan", "--status")


def test_a_killed_worker_is_replaced_and_its_task_is_taken_up(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    write_suite(tmp_path, folder, ("slow:Slow()",))
    process = start(tmp_path, "bench", "suite.py", "--results", "jobs.jsonl", "--jobs", "2")
    worker = holder_of_a_lease(tmp_path / "jobs.work" / "leases")
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert f"Warning: worker {worker} died (SIGKILL, which the system sends when memory is short); another one" in err
    assert [row["status"] for row in rows_in(tmp_path / "jobs.jsonl")] == ["ok", "ok"]
    assert len(os.listdir(tmp_path / "jobs.work" / "lost")) == 1
    status = succeed("work", "jobs.work", "--status").splitlines()
    assert status[1] == "1 worker died or gave no sign of life earlier: 1 task done by another worker"
    assert json.loads(succeed("work", "jobs.work", "--status", "--json"))["lost_tasks"] == {"done": 1}


def holder_of_a_lease(leases):
    """The process id of a worker that has a task."""
    for _ in range(600):
        time.sleep(0.05)
        for path in sorted(leases.glob("*")):
            try:
                return json.loads(path.read_text())["process"]
            except (OSError, ValueError):
                continue
    raise AssertionError("no worker took a task")


def test_an_interruption_stops_the_workers_and_the_same_command_goes_on(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    write_suite(tmp_path, folder, ("slow:Slow()",))
    command = ("bench", "suite.py", "--results", "jobs.jsonl", "--jobs", "2")
    process = start(tmp_path, *command)
    worker = holder_of_a_lease(tmp_path / "jobs.work" / "leases")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert err.splitlines()[-1].startswith("Stopped. Finished work is kept; the same command continues")
    assert os.listdir(tmp_path / "jobs.work" / "leases") == []
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    finish(start(tmp_path, *command))
    assert [row["status"] for row in rows_in(tmp_path / "jobs.jsonl")] == ["ok", "ok"]


def test_a_folder_without_a_plan_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fail("work", "nothing").startswith(
        "there is no plan nothing/work.json; `fewshot bench SUITE --plan nothing`"
    )
    (tmp_path / "nothing").mkdir()
    for content in ("", "[]", "{}", '{"format": "fewshot-work-1"}', "[" * 100_000):
        (tmp_path / "nothing" / "work.json").write_text(content)
        assert "writes one" in fail("work", "nothing")


def test_the_dry_run_lists_each_run_once_and_counts_the_tasks(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder)
    tasks = json.loads(succeed("bench", "suite.py", "--jobs", "2", "--dry-run", "--json"))["tasks"]
    assert [task["kind"] for task in tasks].count("row") == 4
    one, several = (succeed("bench", "suite.py", "--dry-run", *jobs).splitlines() for jobs in ((), ("--jobs", "2")))
    assert several == [*one, "For several processes: 9 tasks, 4 rows: 1 to embed, 4 to solve"]
    assert not (tmp_path / "results").exists()


def test_a_plan_says_which_features_are_cached(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder, ("Prototype()",), (1,))
    succeed("bench", "suite.py", "--plan", "plan")
    first = succeed("work", "plan", "--dry-run").splitlines()[0]
    succeed("features", "--data", folder, "--backbone", "RawPixels(image_size=4)")
    again = succeed("work", "plan", "--dry-run").splitlines()[0]
    assert re.fullmatch(r"embed colours\d+ by raw pixels 4: 1 task, \d+ images", first)
    assert again == f"{first}, {first.split()[-2]} already cached, about 0 s"
    embed, *_ = json.loads(succeed("work", "plan", "--dry-run", "--json"))["tasks"]
    assert (embed["kind"], embed["n_stored"], embed["seconds"]) == ("embed", embed["size"], 0.0)
    succeed("work", "plan")
    assert succeed("work", "plan", "--dry-run") == "0 tasks, 0 rows, about 0 s of one worker\n"


def test_the_first_line_counts_what_is_to_be_done_and_says_what_is_cached(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder, ("Prototype()",), (1,))
    succeed("features", "--data", folder, "--backbone", "RawPixels(image_size=5)")  # of another network
    assert "\n3 tasks in plan. Start on " in succeed("bench", "suite.py", "--plan", "plan")
    embed, *_ = json.loads(succeed("bench", "suite.py", "--dry-run", "--jobs", "2", "--json"))["tasks"]
    cached = f"; {embed['size']:,} images are cached already"
    succeed("features", "--data", folder, "--backbone", "RawPixels(image_size=4)")
    assert f"\n2 tasks in plan{cached}. Start on " in succeed("bench", "suite.py", "--plan", "plan")
    several = succeed("bench", "suite.py", "--dry-run", "--jobs", "2").splitlines()[-1]
    assert several == f"For several processes: 2 tasks, 1 row: 1 to solve{cached}"
    assert "1 of 3 tasks done, 0 claimed, 2 left" in succeed("work", "plan", "--status")
    text = finish(start(tmp_path, "bench", "suite.py", "--results", "jobs.jsonl", "--jobs", "2"))
    assert f"2 tasks for 2 workers{cached}." in text.splitlines()
    assert [row["status"] for row in rows_in(tmp_path / "jobs.jsonl")] == ["ok"]
    shutil.rmtree(
        f"{os.environ['FEWSHOT_HOME']}/features"
    )  # a task that ended is no promise: the run embeds what it needs
    succeed("work", "plan")
    assert rows_in(tmp_path / "plan" / "rows.jsonl") == rows_in(tmp_path / "jobs.jsonl")
