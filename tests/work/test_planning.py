"""Plans: every thing once, each task after those that it needs, and names that follow from the content alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.features.embedding import canonical_batches
from fewshot.results.files import Results
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.work.planning import episodes_per_task, plan
from fewshot.work.presence import unfinished
from fewshot.work.ranges import divided, from_runs, images_per_range, to_runs
from fewshot.work.tasks import Task
from tests.support.workbenches import bench

SPLIT = "AllNovel()"


def spec_of(folder, evaluator="Prototype()", shots=1, **fields):
    data = f"ImageFolderSet({str(folder)!r})"
    fields = {"backbone": "RawPixels(4)", "n_episodes": 6, "split": SPLIT} | fields
    return RunSpec(data, evaluator=evaluator, episodes=Sampled(fields.pop("shape", shape(shots))), **fields)


def shape(shots):
    from fewshot.episodes.shape import EpisodeShape

    return EpisodeShape(3, shots, 4)


def planned(tmp_path, *specs):
    return plan(specs, Results(tmp_path / "rows.jsonl"), bench())


def test_what_runs_share_is_one_task(folder, tmp_path):
    tasks = planned(tmp_path, spec_of(folder), spec_of(folder, "LinearProbe()"), spec_of(folder, shots=2))
    assert [task.kind for task in tasks].count("embed") == 1
    assert [task.kind for task in tasks].count("row") == 3
    assert planned(tmp_path, spec_of(folder), spec_of(folder)) == planned(tmp_path, spec_of(folder))


def test_a_task_stands_after_those_that_it_needs(folder, tmp_path):
    trained = f"Pretrained(ConvNet(), ImageFolderSet({str(folder)!r}), CrossEntropy(steps=2), AllSeen())"
    trained = trained.replace("AllSeen()", "BySeed(0.5)")
    tasks = planned(tmp_path, spec_of(folder), spec_of(folder, backbone=trained, split="BySeed(0.5)", shots=1))
    known = set()
    for task in tasks:
        assert known.issuperset(task.needs), task
        known.add(task.name)
    train = next(task for task in tasks if task.kind == "train")
    assert any(train.name in task.needs for task in tasks if task.kind == "embed")


def test_a_run_has_the_same_tasks_in_every_suite(folder, tmp_path):
    alone = {task.name for task in planned(tmp_path, spec_of(folder)) if task.kind in ("solve", "row")}
    assert alone <= {task.name for task in planned(tmp_path, spec_of(folder, shots=2), spec_of(folder))}


def test_more_episodes_keep_the_names_of_whole_ranges(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fewshot.work.planning.episodes_per_task", lambda *_: 2)

    def ranges(n):
        return [
            (t.what["start"], t.what["stop"])
            for t in planned(tmp_path, spec_of(folder, n_episodes=n))
            if t.kind == "solve"
        ]

    assert ranges(5) == [(0, 2), (2, 4), (4, 5)]
    assert ranges(6) == [(0, 2), (2, 4), (4, 6)]


def test_a_run_that_tunes_a_network_embeds_nothing(folder, tmp_path):
    tasks = planned(tmp_path, spec_of(folder, "FineTune(steps=1)", backbone="ConvNet()"))
    assert {task.kind for task in tasks} == {"solve", "row"}


def test_a_wrong_run_is_a_task_of_its_own(folder, tmp_path):
    tasks = planned(tmp_path, spec_of(folder, split=None), spec_of(folder, "ZeroShot()"), spec_of(folder))
    assert [task.needs for task in tasks if task.kind == "row"].count(()) >= 1


@given(st.lists(st.integers(0, 300), unique=True))
def test_rows_come_back_from_their_ranges(rows):
    sorted_rows = np.array(sorted(rows), dtype=np.int64)
    assert np.array_equal(from_runs(to_runs(sorted_rows), 301), sorted_rows)


@pytest.mark.parametrize(
    "runs", [[[3, 1]], [[0, 2], [1, 3]], [[0, 10**12]], [[0]], [["a", "b"]], [[-1, 2]], [[True, 2]]]
)
def test_other_ranges_are_refused(runs):
    with pytest.raises(ValueError, match="rows of a task are sorted ranges"):
        from_runs(runs, 100)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=2000, unique=True))
def test_ranges_make_as_many_batches_as_one_process(rows):
    sorted_rows = np.array(sorted(rows), dtype=np.int64)
    ranges = divided(sorted_rows)
    assert np.array_equal(np.sort(np.concatenate(ranges)), sorted_rows)
    assert sum(len(canonical_batches(part)) for part in ranges) == len(canonical_batches(sorted_rows))


def test_ranges_grow_with_the_data_up_to_a_limit():
    assert [images_per_range(n) for n in (10, 10_000, 1_000_000, 14_000_000)] == [512, 512, 15_680, 16_384]
    assert (episodes_per_task(80, False), episodes_per_task(100, True), episodes_per_task(10**9, True)) == (3276, 10, 1)


@pytest.mark.parametrize(
    "change", [{"kind": "rm"}, {"needs": ["../x"]}, {"needs": "x"}, {"size": "1"}, {"what": []}, {"more": 1}]
)
def test_other_tasks_are_refused(change):
    values = Task("row", {"run": {}}).to_json()
    assert Task.from_json(values).name == Task("row", {"run": {}}).name
    with pytest.raises(ValueError, match="a task"):
        Task.from_json(values | change)


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=6))
def test_a_table_is_finished_when_all_its_ranges_are(ranges):
    embeds = [Task("embed", {"rows": [[number, number + size]]}, (), size) for number, (size, _) in enumerate(ranges)]
    table = Task("table", {}, tuple(task.name for task in embeds))
    row = Task("row", {}, (table.name,))
    stored = {task.name: task.size - (not whole) for task, (_, whole) in zip(embeds, ranges, strict=True)}
    left = [task for task, (_, whole) in zip(embeds, ranges, strict=True) if not whole]
    assert unfinished([*embeds, table, row], stored) == [*left, *([table] if left else []), row]
