"""Worker processes: `bench --jobs` and `work FOLDER` give the rows of one process, also when workers die."""

from __future__ import annotations

import json
import os
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
    assert not (tmp_path / "jobs.rows").exists()


def test_several_processes_work_on_a_folder(alone, tmp_path):
    assert "Start on any machine that sees it: fewshot work plan" in succeed("bench", "suite.py", "--plan", "plan")
    for text in [finish(process) for process in [start(tmp_path, "work", "plan") for _ in range(2)]]:
        assert "tasks have ended" in text
    rows = json.loads(succeed("results", "list", "plan/rows.jsonl", "--json"))
    assert {row["run_id"] for row in rows} == {row["run_id"] for row in alone}
    assert " done, 0 claimed, 0 left" in succeed("work", "plan", "--status")


def test_a_killed_worker_is_replaced_and_its_task_is_taken_up(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    write_suite(tmp_path, folder, ("slow:Slow()",))
    process = start(tmp_path, "bench", "suite.py", "--results", "jobs.jsonl", "--jobs", "2")
    worker = holder_of_a_lease(tmp_path / "jobs.work" / "leases")
    os.kill(worker, signal.SIGKILL)
    finish(process)
    assert [row["status"] for row in rows_in(tmp_path / "jobs.jsonl")] == ["ok", "ok"]
    assert len(os.listdir(tmp_path / "jobs.work" / "lost")) == 1


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


def test_the_dry_run_lists_the_tasks(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder)
    tasks = json.loads(succeed("bench", "suite.py", "--jobs", "2", "--dry-run", "--json"))["tasks"]
    assert [task["kind"] for task in tasks].count("row") == 4
    text = succeed("bench", "suite.py", "--jobs", "2", "--dry-run")
    assert "tasks, 4 rows" in text
    assert not (tmp_path / "results").exists()
