"""Workers: the rows of one process, bit by bit, whoever does which task, and whatever goes wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import shutil

import pytest

from fewshot.files.leases import Leases
from fewshot.results.files import Results
from fewshot.results.resources import Resources
from fewshot.results.selection_rule import Selection
from fewshot.runs.pipeline import run_all
from fewshot.work.doing import bench_at
from fewshot.work.places import WorkFolder
from fewshot.work.planning import plan
from fewshot.work.worker import Worker
from tests.support.machine_columns import MACHINE_COLUMNS
from tests.support.stored_runs import content
from tests.support.work_runs import spec_of
from tests.support.workbenches import bench

RESOURCES = [column.name for column in dataclasses.fields(Resources)]


def worked(specs, tmp_path, n_workers=1, **fields):
    """The results of these runs, after the workers took turns."""
    results = Results(tmp_path / "worked.jsonl")
    folder = WorkFolder.make(tmp_path / "work", plan(specs, results, bench()))
    for _ in range(n_workers):
        Worker(folder, bench_at(results.path, bench(**fields), False)).work()
    return results


def differences(rows, others):
    """The columns that differ, but for costs, by run id."""
    pairs = dict(zip(sorted(row.run_id for row in rows), sorted(row.run_id for row in others), strict=True))
    assert all(one == other for one, other in pairs.items())
    by_id = {row.run_id: row.columns() for row in others}
    found = {row.run_id: differing(row.columns(), by_id[row.run_id]) for row in rows}
    return {run_id: columns for run_id, columns in found.items() if columns}


def differing(one, other):
    return {name: (one[name], other[name]) for name in one.keys() - MACHINE_COLUMNS if one[name] != other[name]}


def rows_of_one_process(specs, tmp_path):
    rows = [row for _, row in run_all(specs, tmp_path / "alone" / "rows.jsonl", bench(folder=tmp_path / "features"))]
    assert None not in rows
    return rows


def test_a_worker_writes_the_rows_of_one_process(folder, tmp_path):
    chosen = Selection("oracle", (("C", (0.1, 1.0)),), n_episodes=4)
    specs = [spec_of(folder), spec_of(folder, "LinearProbe()"), spec_of(folder, "LinearProbe()", selection=chosen)]
    rows, alone = worked(specs, tmp_path).rows(), rows_of_one_process(specs, tmp_path)
    assert differences(rows, alone) == {}
    assert sum(row.n_embedded for row in rows) == sum(row.n_embedded for row in alone) > 60


def test_a_row_of_workers_has_the_throughput_of_all_that_embedded(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fewshot.work.ranges.images_per_range", lambda _: 64)
    names = itertools.count()
    monkeypatch.setattr("fewshot.features.use.this_process", lambda: f"worker{next(names) % 2}")
    (row,) = worked([spec_of(folder)], tmp_path).rows()
    (alone,) = rows_of_one_process([spec_of(folder)], tmp_path)
    known = {name for name in RESOURCES if getattr(alone, name) is not None}
    assert {name for name in RESOURCES if getattr(row, name) is not None} == known >= {"image_bytes_per_second"}
    assert row.images_per_second == round(row.n_embedded / row.seconds_embedding, 4)
    assert (row.embedding_batch, row.embedding_compiled) == (alone.embedding_batch, alone.embedding_compiled)
    assert (row.embedding_workers, alone.embedding_workers) == (2, 1)


@pytest.mark.parametrize("per_task", [1, 5])
def test_the_rows_do_not_depend_on_the_size_of_the_tasks(folder, tmp_path, monkeypatch, per_task):
    monkeypatch.setattr("fewshot.work.planning.episodes_per_task", lambda *_: per_task)
    monkeypatch.setattr("fewshot.work.ranges.images_per_range", lambda _: 64)
    specs = [spec_of(folder), spec_of(folder, "FineTune(steps=1)", 3, backbone="ConvNet()")]
    assert differences(worked(specs, tmp_path).rows(), rows_of_one_process(specs, tmp_path)) == {}


def test_a_second_call_has_nothing_to_do(folder, tmp_path):
    results = worked([spec_of(folder)], tmp_path)
    assert plan([spec_of(folder)], results, bench()) == []
    more = plan([spec_of(folder, n_episodes=20)], results, bench())
    assert [task.size for task in more if task.kind == "solve"] == [8]


def test_a_failed_run_has_the_error_of_one_process_and_the_others_go_on(folder, tmp_path):
    specs = [spec_of(folder, "Matching()", split=None), spec_of(folder, "ZeroShot()"), spec_of(folder)]
    rows = {row.evaluator: row for row in worked(specs, tmp_path).rows()}
    alone = {row.evaluator: row for row in rows_of_one_process(specs, tmp_path)}
    assert {name: (row.status, row.error, row.run_id) for name, row in rows.items()} == {
        name: (row.status, row.error, row.run_id) for name, row in alone.items()
    }
    assert sorted(row.status for row in rows.values()) == ["failed", "failed", "ok"]


@pytest.mark.parametrize("kind", ["embed", "solve", "row"])
def test_a_task_that_is_lost_three_times_is_an_error_row(folder, tmp_path, kind):
    specs = [spec_of(folder), spec_of(folder, "LinearProbe()")]
    results = Results(tmp_path / "worked.jsonl")
    tasks = plan(specs, results, bench())
    lost = next(task for task in tasks if task.kind == kind)
    work = WorkFolder.make(tmp_path / "work", tasks)
    (tmp_path / "work" / "lost").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "work" / "lost" / f"{lost.name}.{number}").touch()
    Worker(work, bench_at(results.path, bench(), False)).work()
    failed = [row for row in results.rows() if row.status == "failed"]
    assert len(failed) == (2 if kind == "embed" else 1)
    assert failed[0].error.startswith(f"3 workers died or gave no sign of life while they had this task: {lost.words}")


def test_a_task_of_a_dead_worker_is_taken_up(folder, tmp_path):
    results = Results(tmp_path / "worked.jsonl")
    tasks = plan([spec_of(folder)], results, bench())
    work = WorkFolder.make(tmp_path / "work", tasks)
    dead = {"token": "a", "machine": "elsewhere", "process": 1, "started": "1", "beats": "0"}
    (tmp_path / "work" / "leases").mkdir(parents=True, exist_ok=True)
    (tmp_path / "work" / "leases" / tasks[0].name).write_text(json.dumps(dead))
    patient = WorkFolder(work.path, 0.3)
    Worker(patient, bench_at(results.path, bench(), False)).work()
    assert [row.status for row in results.rows()] == ["ok"]
    assert patient.leases.losses(tasks[0].name) == 1


def test_a_worker_that_dies_after_it_wrote_a_failure_costs_no_second_row_of_it(folder, tmp_path, monkeypatch):
    specs = [spec_of(folder, "Matching()", split=None), spec_of(folder, "ZeroShot()"), spec_of(folder)]
    results = Results(tmp_path / "worked.jsonl")
    work = WorkFolder.make(tmp_path / "work", plan(specs, results, bench()))

    done, end = set(), WorkFolder.end

    def end_at_second_try(self, task, outcome):
        if task.name not in done:
            done.add(task.name)
            raise KeyboardInterrupt
        end(self, task, outcome)

    monkeypatch.setattr(WorkFolder, "end", end_at_second_try)
    while work.n_left:
        with contextlib.suppress(KeyboardInterrupt):
            Worker(work, bench_at(results.path, bench(), False)).work()
    assert sorted(json.loads(line)["status"] for line in results.lines()) == ["failed", "failed", "ok"]


def test_an_interruption_gives_the_task_back(folder, tmp_path, monkeypatch):
    results = Results(tmp_path / "worked.jsonl")
    work = WorkFolder.make(tmp_path / "work", plan([spec_of(folder)], results, bench()))
    own = bench_at(results.path, bench(), False)

    def interrupted(*_):
        assert os.listdir(tmp_path / "work" / "leases")
        raise KeyboardInterrupt

    monkeypatch.setattr("fewshot.features.ranges.embed_range", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Worker(work, own).work()
    assert Leases(tmp_path / "work" / "leases").taken() == {}
    assert work.statuses() == {}


def test_a_plan_names_no_code_that_a_worker_imports(folder, tmp_path):
    results = Results(tmp_path / "worked.jsonl")
    tasks = plan([spec_of(folder)], results, bench())
    run = next(task.what["run"] for task in tasks if task.kind == "row")
    evil = [dataclasses.replace(t, what={**t.what, "run": {**run, "evaluator": "os:system('x')"}}) for t in tasks[-1:]]
    work = WorkFolder.make(tmp_path / "work", [dataclasses.replace(evil[0], needs=())])
    Worker(work, bench_at(results.path, bench(), False)).work()
    ((name, status),) = work.statuses().items()
    assert status == "failed"
    assert "would import code" in work.error(name, status)


def test_doing_every_task_twice_changes_nothing(folder, tmp_path):
    results = worked([spec_of(folder), spec_of(folder, "FineTune(steps=1)", 2, backbone="ConvNet()")], tmp_path)
    before = content(tmp_path / "worked.predictions"), content(tmp_path / "worked.rows")
    shutil.rmtree(tmp_path / "work" / "done")
    Worker(WorkFolder(tmp_path / "work"), bench_at(results.path, bench(), False)).work()
    assert (content(tmp_path / "worked.predictions"), content(tmp_path / "worked.rows")) == before


def test_a_task_that_needs_a_lost_range_is_not_tried(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fewshot.work.ranges.images_per_range", lambda _: 64)
    results = Results(tmp_path / "worked.jsonl")
    tasks = plan([spec_of(folder)], results, bench())
    work = WorkFolder.make(tmp_path / "work", tasks)
    (tmp_path / "work" / "lost").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "work" / "lost" / f"{tasks[0].name}.{number}").touch()
    Worker(work, bench_at(results.path, bench(), False)).work()
    ended = work.statuses()
    assert {task.kind: ended[task.name] for task in tasks if task.name != tasks[0].name} == {
        "embed": "done",
        "table": "lost",
        "solve": "lost",
        "row": "lost",
    }
