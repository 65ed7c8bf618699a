"""Each worker of a machine with several GPUs has one of its own, and the rows do not depend on that."""

from __future__ import annotations

import os
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot.work.gpus import Shares, gpus_to_share, only
from tests.support.checkout import ROOT
from tests.support.command_line import succeed
from tests.support.work_suites import rows_in, write_suite

SEEING = """
import os
import time
from dataclasses import dataclass
from pathlib import Path
from fewshot.evaluators.prototype import Prototype


def processes():
    return len(os.listdir("seen"))


@dataclass(frozen=True)
class Sees(Prototype):
    def fit(self, batch):
        os.makedirs("seen", exist_ok=True)
        Path("seen", str(os.getpid())).write_text(str(os.environ.get("CUDA_VISIBLE_DEVICES")))
        if {dies} and processes() == 1:
            os._exit(9)
        until = time.monotonic() + 60
        while processes() < {n} and time.monotonic() < until:
            time.sleep(0.1)
        return super().fit(batch)
"""


@pytest.fixture
def machine(monkeypatch):
    """Makes this a machine with so many GPUs, of which CUDA_VISIBLE_DEVICES shows some."""

    def made(count, visible=None):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return made


@pytest.mark.parametrize(
    ("count", "visible", "devices", "shared"),
    [
        (4, None, (None, None), ["0", "1", "2", "3"]),
        (2, "2, 3", ("cuda", None), ["2", "3"]),
        (2, "MIG-a,MIG-b", (None, "cpu"), ["MIG-a", "MIG-b"]),
        (2, "5,6,-1,7", (None, None), ["5", "6"]),  # CUDA stops at the first number that it does not know
        (4, None, ("cpu", "cuda"), ["0", "1", "2", "3"]),
        (4, None, ("cpu", None), []),
        (4, None, ("mps", None), []),
        (4, None, ("cuda:1", None), []),  # the user chose
        (4, None, (None, "cuda:2"), []),
        (1, None, (None, None), []),
        (1, "3", ("cuda", None), []),  # as a job of SLURM sees it
        (0, "", (None, None), []),
    ],
)
def test_the_gpus_to_share_are_the_visible_ones_unless_the_user_chose_one(machine, count, visible, devices, shared):
    machine(count, visible)
    assert gpus_to_share(*devices) == shared


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=30))
def test_workers_that_start_and_die_in_any_order_share_the_gpus_evenly(n_gpus, starts):
    shares, running, of = Shares([str(number) for number in range(n_gpus)]), [], {}
    for process, starts_one in enumerate(starts):
        if starts_one:
            of[process] = shares.next(running)
            shares.take(process, of[process])
            used = Counter(of[other] for other in running)
            assert used[of[process]] == min(used[gpu] for gpu in shares.gpus)
            running.append(process)
        elif running:
            running.pop(process % len(running))


def test_without_gpus_to_share_a_worker_keeps_its_environment():
    assert only(Shares([]).next([1, 2])) == {}


@pytest.mark.slow
@pytest.mark.parametrize("dies", [False, True])
def test_workers_have_distinct_gpus_and_the_rows_of_one_process(folder, tmp_path, machine, monkeypatch, dies):
    machine(2, "7,9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    module = f"seeing_{dies}"  # of its own: this process keeps what it has imported
    (tmp_path / f"{module}.py").write_text(SEEING.format(dies=dies, n=2 + dies))
    write_suite(tmp_path, folder, (f"{module}:Sees()", "Prototype()"), (1, 2, 3))
    succeed("bench", "suite.py", "--results", "jobs.jsonl", "--jobs", "2")
    by_process = {path.name: path.read_text() for path in (tmp_path / "seen").iterdir()}
    assert sorted(set(by_process.values())) == ["7", "9"]
    assert len(by_process) == 2 + dies
    machine(0)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home_of_one"))
    succeed("bench", "suite.py", "--results", "alone.jsonl")
    assert rows_in(tmp_path / "jobs.jsonl") == rows_in(tmp_path / "alone.jsonl")


@pytest.mark.slow
def test_workers_of_a_local_cluster_have_distinct_gpus_and_take_tasks_of_a_gpu():
    pytest.importorskip("distributed")
    from fewshot.work.schedulers import Tls, opened

    with opened("local:2", Tls(), ["7", "9"]) as connect, connect(None) as client:
        seen = client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
        assert sorted(seen.values()) == ["7", "9"]
        assert client.submit(len, "task", resources={"GPU": 1}).result(timeout=60) == 4
