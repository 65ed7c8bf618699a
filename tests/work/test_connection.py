"""A scheduler that goes away and comes back: a sentence for each state, growing pauses, and the rows of one process."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from fewshot.results.files import Results
from fewshot.work.cluster import Cluster
from fewshot.work.connection import LIMIT, Connection, WorkerWatch
from fewshot.work.places import WorkFolder
from fewshot.work.planning import plan
from fewshot.work.remote import Settings, bench_of
from fewshot.work.schedulers import Gone, address_of, quiet
from tests.support.work_runs import spec_of
from tests.support.workbenches import bench

ADDRESS = "tcp://10.0.0.5:8786"


class Clock:
    """A clock that only pauses move."""

    def __init__(self):
        self.now, self.pauses = 1000.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.pauses.append(seconds)


class Scheduler:
    """A scheduler that answers or not, as the list says; then it answers."""

    def __init__(self, *answers):
        self.answers, self.limits = list(answers), []

    @contextmanager
    def connect(self, seconds):
        self.limits.append(seconds)
        if self.answers and not self.answers.pop(0):
            raise Gone("no answer")
        yield self


def use(scheduler, n_losses, clock):
    """Works with a scheduler that goes away so often; what the log says."""
    left = [Gone("running no more")] * n_losses

    def work(client):
        assert client is scheduler
        if left:
            raise left.pop()

    Connection(ADDRESS, scheduler.connect, clock, clock.sleep).use(work, lambda: "7 tasks left")


def test_each_state_is_one_sentence(caplog):
    caplog.set_level(logging.INFO)
    use(Scheduler(True, False, False, True, True), 2, Clock())
    lost = f"lost the scheduler; waiting up to 10 min for it to come back at {ADDRESS}"
    again = f"connected to the scheduler {ADDRESS} again; 7 tasks left"
    assert caplog.messages == [lost, again, lost, again]


def test_pauses_grow_up_to_half_a_minute_and_the_wait_has_a_limit():
    clock = Clock()
    with pytest.raises(
        OSError, match=f"the scheduler {ADDRESS} did not come back within 10 min; finished work is kept"
    ):
        use(Scheduler(True, *[False] * 1000), 1, clock)
    assert clock.pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert LIMIT < sum(clock.pauses) < LIMIT + 60


def test_a_scheduler_that_comes_back_gets_the_whole_time_again():
    clock, away = Clock(), [False] * 20
    use(Scheduler(True, *away, True, *away, True), 2, clock)
    assert sum(clock.pauses) > 1.5 * LIMIT


def test_a_scheduler_that_was_never_there_is_an_error_at_once():
    clock = Clock()
    with pytest.raises(OSError, match=f"cannot reach the scheduler {ADDRESS}: no answer"):
        use(Scheduler(False), 0, clock)
    assert clock.pauses == []


def test_an_error_of_the_work_itself_is_no_lost_scheduler():
    def work(client):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        Connection(ADDRESS, Scheduler().connect).use(work, str)


def test_a_scheduler_without_workers_is_a_sentence_with_growing_pauses(caplog):
    clock, workers = Clock(), {}
    watch = WorkerWatch(ADDRESS, clock)
    for _ in range(100):
        watch.look(SimpleNamespace(nthreads=lambda: workers))
        clock.sleep(1.0)
    how = f"start one: dask worker {ADDRESS}"
    assert caplog.messages == [f"no worker has joined yet after {n} s; {how}" for n in (10, 20, 40, 80)]
    workers["tcp://10.0.0.6:1234"] = 1
    clock.sleep(100.0)
    watch.look(SimpleNamespace(nthreads=lambda: workers))
    workers.clear()
    for _ in range(25):
        clock.sleep(1.0)
        watch.look(SimpleNamespace(nthreads=lambda: workers))
    assert caplog.messages[4:] == [f"the scheduler has had no worker for 10 s; {how}"]


def test_the_address_is_that_which_the_file_holds_now(tmp_path):
    file = tmp_path / "scheduler.json"
    for content in ("", "{}", "[]", '{"address": '):
        file.write_text(content)
        with pytest.raises(Gone, match="holds no address"):
            address_of(str(file))
    for address in ("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"):
        file.write_text(f'{{"address": "{address}"}}')
        assert address_of(str(file)) == address
    assert address_of("host:8786") == "host:8786"


def test_the_log_of_dask_is_silent_unless_tracebacks_are_wanted(caplog):
    client = logging.getLogger("distributed.client")
    before = client.level
    with caplog.at_level(logging.INFO, "fewshot"), quiet():
        assert not client.isEnabledFor(logging.CRITICAL)
    with caplog.at_level(logging.DEBUG, "fewshot"), quiet():
        assert client.level == before
    assert client.level == before


class PretendedClient:
    """A client whose scheduler does each task at once, and goes away after so many of them."""

    def __init__(self, n_tasks):
        self.n_tasks, self.status = n_tasks, "running"

    def nthreads(self):
        return {"worker": 1}

    def submit(self, function, *texts, key, **_):
        future = SimpleNamespace(key=key, status="pending", done=lambda: future.status != "pending")
        if self.n_tasks:
            self.n_tasks -= 1
            outcome = function(*(text if isinstance(text, str) else text.result() for text in texts))
            future.status, future.result = "finished", lambda: outcome
        else:
            future.status, self.status = "cancelled", "connecting"
        return future


@pytest.fixture
def worked(tmp_path, monkeypatch, caplog):
    """The results and the folder of runs after some clients have worked on them in turn, each with a worker of its
    own."""
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("fewshot.work.cluster._LOOK", 0.0)
    monkeypatch.setattr("fewshot.work.connection._FIRST_PAUSE", 0.0)

    def work(specs, clients):
        @contextmanager
        def opened(scheduler, tls):
            @contextmanager
            def connect(seconds):
                bench_of.cache_clear()
                yield clients.pop(0)

            yield connect

        results = Results(tmp_path / "rows.jsonl")
        folder = WorkFolder.make(tmp_path / "work", plan(specs, results, bench()))
        Cluster(folder, Settings.of(results.path, bench()), ADDRESS, open=opened).work(lambda: None)
        return results, folder

    return work


@pytest.mark.parametrize("n_tasks", [0, 1, 2])
def test_a_lost_scheduler_costs_no_row(folder, worked, caplog, n_tasks):
    specs = [spec_of(folder), spec_of(folder, "LinearProbe()")]
    results, work = worked(specs, [PretendedClient(n_tasks), PretendedClient(1), PretendedClient(100)])
    assert [row.status for row in results.rows()] == ["ok", "ok"]
    assert work.n_left == 0
    assert caplog.messages.count(f"lost the scheduler; waiting up to 10 min for it to come back at {ADDRESS}") == 2


@pytest.mark.parametrize("n_tasks", [1, 2, 3, 5, 6])
def test_a_scheduler_that_is_lost_after_a_failure_costs_no_second_row_of_it(folder, worked, n_tasks):
    specs = [spec_of(folder, "Matching()", split=None), spec_of(folder, "ZeroShot()"), spec_of(folder)]
    results, work = worked(specs, [PretendedClient(n_tasks), PretendedClient(n_tasks), PretendedClient(100)])
    assert work.n_left == 0
    statuses = [json.loads(line)["status"] for line in results.lines()]
    assert sorted(statuses) == ["failed", "failed", "ok"]
