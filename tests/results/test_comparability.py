"""The comparability key: what changes a number's meaning changes it, and who is compared does not."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.report.comparisons.contests import BY, NothingCompared, alone, contests
from fewshot.report.comparisons.ranking import rankings
from fewshot.report.rows.shown import Shown
from fewshot.results import comparability
from fewshot.results.collections import Collection
from fewshot.results.comparability import benchmark, comparability_key, differences, labels, refusal, task_choices
from fewshot.results.files import Results
from fewshot.results.row import Row
from tests.support.report_rows import row

WHO: dict[str, Any] = {
    "backbone": "Packaged(name='mobilenetv2_100', image_size=None)",
    "weights_digest": "ef" * 32,
    "transform": "Identity()",
    "evaluator": "LinearProbe(C=1.0, max_iter=100)",
    "dtype": "bfloat16",
    "device": "cuda",
    "n_episodes": 100,
    "accuracy": 0.1,
    "protocol": "heads@1",
    "pretrained_on": "ImageNet-1k",
}
TASK: dict[str, Any] = {
    "images_digest": "01" * 32,
    "classes_digest": "02" * 32,
    "split_digest": "03" * 32,
    "classes": "validation",
    "sampler": "VariableWayShot()",
    "n_way": 20,
    "k_shot": 5,
    "n_query": 5,
    "k_shot_at_most": True,
    "seed": 1,
    "protocol": "a_benchmark@2",
}
LABELLED: dict[str, Any] = {
    "transductive": True,
    "selection": "validation classes",
    "n_labels_selection": 200,
    "backbone": "RawPixels(image_size=64)",
}
BASE = row(protocol="")
HEADS = ("Prototype()", "LinearProbe(C=1.0, max_iter=100)")


@pytest.fixture(autouse=True)
def one_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparability, "_benchmarks", lambda: frozenset({"a_benchmark"}))


def changed(**columns: Any) -> Row:
    """The row with other columns, and so of another run."""
    run_id = hashlib.sha256(repr(sorted(columns.items())).encode()).hexdigest()[:16]
    return dataclasses.replace(BASE, run_id=run_id, **columns)


@pytest.mark.parametrize("column", WHO)
def test_who_is_compared_does_not_change_the_key(column: str) -> None:
    other = changed(**{column: WHO[column]})
    assert comparability_key(other) == comparability_key(BASE)
    assert not any(one.forbids for one in differences(BASE, other))


@pytest.mark.parametrize("column", TASK)
def test_each_choice_of_the_task_changes_the_key_and_is_the_only_difference(column: str) -> None:
    other = changed(**{column: TASK[column]})
    assert comparability_key(other) != comparability_key(BASE)
    [difference] = differences(BASE, other)
    assert difference.forbids
    assert difference.a != difference.b
    assert refusal([BASE, other]) == difference.sentence


@pytest.mark.parametrize("column", LABELLED)
def test_means_are_labelled_and_leave_the_key(column: str) -> None:
    other = changed(**{column: LABELLED[column]})
    assert comparability_key(other) == comparability_key(BASE)
    [difference] = differences(BASE, other)
    assert not difference.forbids
    assert refusal([BASE, other]) == ""


columns = st.sampled_from([*WHO.items(), *TASK.items(), *LABELLED.items()])


@given(st.lists(columns), st.lists(columns))
def test_two_rows_share_a_key_exactly_if_no_difference_forbids_it(first: Any, second: Any) -> None:
    a, b = changed(**dict(first)), changed(**dict(second))
    same = comparability_key(a) == comparability_key(b)
    assert same == (task_choices(a) == task_choices(b)) == (not any(one.forbids for one in differences(a, b)))
    assert same == (len(rankings([a, b])) == 1)
    turned = [(one.b, one.a) for one in differences(b, a)]
    assert [(one.a, one.b) for one in differences(a, b)] == turned


def test_the_measure_that_a_table_shows_is_in_the_key() -> None:
    assert comparability_key(BASE, "log_loss") != comparability_key(BASE)


def test_the_words_of_a_difference_say_both_values() -> None:
    assert [one.sentence for one in differences(BASE, changed(seed=1))] == ["seed: 0 and 1"]
    labelled = changed(n_labels_selection=200, selection="validation classes")
    assert [one.sentence for one in differences(labelled, BASE)] == [
        "hyperparameters chosen on: validation classes and none",
        "labels to choose hyperparameters: 200 images and none",
    ]
    assert labels(labelled) == ("chosen on validation classes", "200 labelled images to choose hyperparameters")
    assert labels(BASE) == ()
    assert labels(changed(transductive=True)) == ("transductive",)


def test_paths_of_other_machines_do_not_change_the_key() -> None:
    inner = "ClassesOf(split_name='mini_imagenet', images=ImageFolderSet(root={!r}))"
    for form in ("ImageFolderSet(root={!r})", inner):
        keys = {comparability_key(changed(dataset=form.format(path))) for path in ("/home/a/mini", "mini")}
        assert len(keys) == 1
    assert comparability_key(changed(dataset=inner.format("a"))) != comparability_key(
        changed(dataset=inner.format("a").replace("mini_", "tiered_"))
    )


def test_lists_of_episodes_are_equal_by_content_and_not_by_path() -> None:
    one, copy = (changed(sampler=f"Listed(path={path!r})", episodes_digest="aa" * 32) for path in ("a.csv", "b/a.csv"))
    other = dataclasses.replace(one, run_id="other", episodes_digest="bb" * 32)
    assert comparability_key(one) == comparability_key(copy)
    assert [each.choice for each in differences(one, other)] == ["listed episodes"]
    assert len({task.title for task in Shown.of([one, other]).tasks}) == 2


def test_episodes_of_a_sampler_may_differ_in_number() -> None:
    assert comparability_key(changed(n_episodes=20, episodes_digest="aa" * 32)) == comparability_key(BASE)


def test_a_suite_prescribes_nothing_and_a_benchmark_of_the_field_does() -> None:
    assert benchmark(changed(protocol="quick@1")) == ""
    rows = [changed(protocol="a_benchmark@1"), changed(protocol="a_benchmark@2"), BASE]
    assert len({comparability_key(each) for each in rows}) == 3
    assert refusal(rows[:2]) == "benchmark: a_benchmark@1 and a_benchmark@2"
    titles = {task.title for task in Shown.of(rows).tasks}
    assert len(titles) == 3


def test_a_table_holds_rows_of_one_key_but_for_their_shots() -> None:
    rows = [changed(**{name: value}) for name, value in TASK.items()] + [BASE]
    for task in Shown.of(rows).tasks:
        assert len({task_choices(each, without=comparability.SHOTS) for each in task.rows}) == 1
    assert len(Shown.of(rows).tasks) == len(rows) - 2  # k_shot and k_shot_at_most are columns


def test_runs_of_two_tasks_are_refused_with_the_choice_in_which_they_differ(tmp_path: Any) -> None:
    rows = [BASE, changed(seed=1, backbone="Given()")]
    with pytest.raises(ValueError, match=r"because they differ in seed: 0 and 1; run another backbone"):
        contests(Results(tmp_path / "rows.jsonl"), rows, "anything")


def test_a_refusal_names_all_files_and_every_choice_with_the_data_first(tmp_path: Any) -> None:
    files = [Results(tmp_path / f"{name}.jsonl") for name in "ab"]
    first = [BASE, changed(k_shot=5)]
    others = [changed(dataset="Digits()", images_digest="aa" * 32, split_digest="bb" * 32, n_query=7)]
    for file, rows in zip(files, (first, others), strict=True):
        for each in rows:
            file.append(each)
    every = Collection.of(files)
    with pytest.raises(NothingCompared) as caught:
        contests(every, every.rows(), "anything")
    text = str(caught.value)
    assert text.startswith(f"{files[0].path} and {files[1].path} have no two runs that differ in")
    assert re.search(r"they differ in data: .* and digits aaaaaaaa; shots: 1 and 5; queries per class: 15 and 7;", text)
    assert "split" not in text  # it follows from the data
    assert refusal([BASE, changed(n_episodes=7), *others]) == ""  # two share a task


def test_a_refusal_shortens_many_values() -> None:
    assert refusal([changed(seed=seed) for seed in range(9)]) == "seed: 0, 1, 2, 3 and 5 others"


def test_every_run_is_compared_or_has_a_reason_for_each_choice_of_by(tmp_path: Any) -> None:
    single = [changed(n_episodes=1, seed=3, evaluator=text) for text in HEADS]
    lone = [BASE, changed(seed=1)]
    for by in BY:
        with pytest.raises(NothingCompared) as caught:
            contests(Results(tmp_path / "rows.jsonl"), [*single, *lone], by)
        if by != "backbone":
            assert {other.row.run_id for other in caught.value.others} == {each.run_id for each in [*single, *lone]}
            reasons = {other.row.run_id: other.reason for other in caught.value.others}
            assert all("1 episode" in reasons[each.run_id] for each in single)
            assert all("nearest differs in seed: " in reasons[each.run_id] for each in lone)


def test_a_run_without_a_rival_is_named_with_the_nearest_difference() -> None:
    rows = [BASE, changed(dtype="bfloat16"), changed(seed=1, n_way=20), changed(status="failed", seed=7)]
    [lone] = alone(rows)
    assert lone.row is rows[2]
    assert lone.reason == "no other run has its task; the nearest differs in ways: 20 and 5; seed: 1 and 0"
    assert alone(rows[:1]) == []
