"""A Dask cluster gives the rows of one process, also when workers die; its messages are texts of JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from fewshot.work.cluster import Cluster, Settings, Tls, do
from fewshot.work.places import WorkFolder
from fewshot.work.tasks import Task
from tests.support.checkout import ROOT
from tests.support.command_line import fail, succeed
from tests.support.work_suites import finish, rows_in, start, write_suite

pytest.importorskip("distributed")
LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")
DEADLY = """
import os
from dataclasses import dataclass
from fewshot.evaluators.prototype import Prototype


@dataclass(frozen=True)
class Deadly(Prototype):
    def fit(self, batch):
        os._exit(9)
"""


@pytest.fixture
def scheduler(tmp_path):
    """The file of a real scheduler with two real workers."""
    file = str(tmp_path / "scheduler.json")
    commands = [("scheduler", "--port", "0"), *[("worker", "--nthreads", "1", "--no-nanny")] * 2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command, "--scheduler-file", file, *LOOPBACK],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    yield file
    for process in reversed(processes):
        process.kill()
        process.wait()


def test_a_scheduler_file_leads_to_the_rows_of_one_process(alone, scheduler, tmp_path):
    finish(start(tmp_path, "bench", "suite.py", "--results", "dask.jsonl", "--scheduler", scheduler))
    assert rows_in(tmp_path / "dask.jsonl") == alone


@pytest.mark.slow
def test_a_local_cluster_ends_with_an_error_row_for_a_run_that_kills_workers(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deadly.py").write_text(DEADLY)
    write_suite(tmp_path, folder, ("deadly:Deadly()", "Prototype()"), (1,))
    process = start(tmp_path, "bench", "suite.py", "--results", "dask.jsonl", "--scheduler", "local:1")
    process.communicate(timeout=300)
    assert process.returncode == 1
    rows = rows_in(tmp_path / "dask.jsonl")
    assert [row["status"] for row in rows if "Deadly" in row["evaluator"]] == ["failed"]
    assert all("3 workers died" in row["error"] for row in rows if row["status"] == "failed")
    assert [row["status"] for row in rows if "Prototype" in row["evaluator"]] == ["ok"]


def test_a_task_goes_there_and_comes_back_as_json(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder)
    succeed("bench", "suite.py", "--plan", "plan")
    settings = Settings(str(tmp_path / "rows.jsonl"), str(tmp_path), os.environ["FEWSHOT_HOME"]).to_json()
    task = WorkFolder(tmp_path / "plan").tasks[0]
    outcome = json.loads(do(json.dumps(task.to_json()), settings))
    assert (outcome["status"], outcome["error"]) == ("done", "")
    row = next(task for task in WorkFolder(tmp_path / "plan").tasks if task.kind == "row")
    lost = json.dumps({"status": "lost", "seconds": 0, "error": "3 workers died"})
    assert json.loads(do(json.dumps(row.to_json()), settings, lost))["status"] == "lost"


def test_a_scheduler_that_is_not_there_is_a_sentence(folder, tmp_path, monkeypatch):
    import dask

    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path, folder)
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        sentence = fail("bench", "suite.py", "--scheduler", "tcp://127.0.0.1:9")
    assert sentence.startswith("cannot reach the scheduler tcp://127.0.0.1:9")
    assert "write one such as local:4" in fail("bench", "suite.py", "--scheduler", "local:many")


def test_tls_files_reach_dask():
    cluster = Cluster(WorkFolder(None), Settings("", "", ""), "tls://host:1", Tls("ca.pem", "cert.pem", "key.pem"))
    with cluster._local_or_not() as where:
        security = where["security"]
    assert (security.require_encryption, security.tls_ca_file) == (True, "ca.pem")
    assert (security.tls_client_cert, security.tls_client_key) == ("cert.pem", "key.pem")


def test_a_task_survives_json():
    task = Task("embed", {"rows": [[0, 4]]}, ("0" * 32,), 4, "images", "rate")
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert dataclasses.replace(task, needs=(), subject="other words").name == task.name
