"""A Dask cluster gives the rows of one process, also when workers die; its messages are texts of JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from fewshot.work.places import WorkFolder
from fewshot.work.remote import Settings, do
from fewshot.work.schedulers import Tls
from fewshot.work.tasks import Task
from tests.support.checkout import ROOT
from tests.support.command_line import fail, succeed
from tests.support.work_suites import finish, rows_in, start, write_suite

pytest.importorskip("distributed")
LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")
WORKER = ("worker", "--nthreads", "1", "--no-nanny")
SLOW = """
import time
from dataclasses import dataclass
from fewshot.evaluators.prototype import Prototype


@dataclass(frozen=True)
class Slow(Prototype):
    def fit(self, batch):
        time.sleep({seconds})
        return super().fit(batch)
"""
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
def dask(tmp_path):
    """Starts commands of Dask that find each other by a scheduler file; all are killed at the end."""
    processes = []

    def started(*command):
        file = ("--scheduler-file", str(tmp_path / "scheduler.json"))
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *command, *file, *LOOPBACK],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    yield started
    for process in reversed(processes):
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(dask, tmp_path):
    """The file of a real scheduler with two real workers."""
    dask("scheduler", "--port", "0")
    for _ in range(2):
        dask(*WORKER)
    return str(tmp_path / "scheduler.json")


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


def wait_for(happened, seconds=120):
    """Waits until something has happened."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.1)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.slow
def test_a_scheduler_that_is_killed_and_started_again_costs_no_row(dask, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW.format(seconds=1))
    write_suite(tmp_path, folder, ("slow:Slow()", "Prototype()"))
    finish(start(tmp_path, "bench", "suite.py", "--results", "alone.jsonl"))
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home_of_several"))
    port = str(free_port())
    first = dask("scheduler", "--port", port)
    err = tmp_path / "err"
    with open(err, "w") as file:
        command = ("bench", "suite.py", "--results", "dask.jsonl", "--scheduler", "scheduler.json")
        process = start(tmp_path, *command, stderr=file)
    wait_for(lambda: "no worker has joined yet" in err.read_text())
    first.kill()
    wait_for(lambda: err.read_text().count("lost the scheduler") == 1)
    second, worker = dask("scheduler", "--port", port), dask(*WORKER)
    wait_for(lambda: len(WorkFolder(tmp_path / "dask.work").statuses()) >= 2)
    second.kill()
    worker.kill()
    wait_for(lambda: err.read_text().count("lost the scheduler") == 2)
    dask("scheduler", "--port", port)
    dask(*WORKER)
    process.communicate(timeout=120)
    said = err.read_text()
    assert process.returncode == 0, said
    assert rows_in(tmp_path / "dask.jsonl") == rows_in(tmp_path / "alone.jsonl")
    where = f"the scheduler tcp://127.0.0.1:{port} again; "
    states = ("no worker has joined yet", "lost the scheduler", f"connected to {where}")
    lines = [line for line in said.splitlines() if not line.startswith("  tasks: ")]
    assert {line for line in lines if not any(state in line for state in states)} == set()
    assert [said.count(state) for state in states[1:]] == [2, 2]


@pytest.mark.slow
def test_sigterm_ends_a_local_cluster_soon_and_leaves_nothing_behind(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW.format(seconds=60))
    write_suite(tmp_path, folder, ("slow:Slow()",))
    process = start(tmp_path, "bench", "suite.py", "--results", "dask.jsonl", "--scheduler", "local:2")
    wait_for(lambda: len(WorkFolder(tmp_path / "dask.work").statuses()) >= 1)
    time.sleep(1)
    sent = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)  # also waits for processes that it has started
    assert time.monotonic() - sent < 15
    assert process.returncode == 128 + signal.SIGTERM
    assert err.split("\n") == ["", "Stopped. Finished work is kept; the same command continues from there.", ""]


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
    security = Tls("ca.pem", "cert.pem", "key.pem").arguments()["security"]
    assert (security.require_encryption, security.tls_ca_file) == (True, "ca.pem")
    assert (security.tls_client_cert, security.tls_client_key) == ("cert.pem", "key.pem")


def test_a_task_survives_json():
    task = Task("embed", {"rows": [[0, 4]]}, ("0" * 32,), 4, "images", "rate")
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert dataclasses.replace(task, needs=(), subject="other words").name == task.name
