"""Hyperparameters chosen before a run, on validation classes or as an oracle: resumed, told, refused when wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from fewshot.benchmarks import FOLDER

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import EVALUATORS
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection
from fewshot.runs.pipeline import run, run_all
from fewshot.runs.specs import Listed, RunSpec, Sampled
from tests.support.workbenches import bench

GRID = (("C", (1e-6, 0.01, 1)),)


@pytest.fixture
def spec(folder):
    return RunSpec(
        dataset=f"ImageFolderSet(root={str(folder)!r})",
        backbone="RawPixels(image_size=2)",
        evaluator="LinearProbe",
        split="BySeed(novel=0.5, validation=0.5)",
        episodes=Sampled(EpisodeShape(3, 2, 4)),
        n_episodes=30,
        selection=Selection("validation", GRID, n_episodes=20),
    )


def counted(monkeypatch):
    """The evaluators of all solved episodes, one entry an episode."""
    import fewshot.runs.solving

    original, solved = fewshot.runs.solving.solve, []

    def counting(episodes, learner, **options):
        solved.extend([repr(learner.evaluator)] * len(episodes))
        return original(episodes, learner=learner, **options)

    monkeypatch.setattr(fewshot.runs.solving, "solve", counting)
    return solved


def test_the_best_setting_on_validation_classes_runs(spec, results):
    row = run(spec, results, bench())
    settings = [f"LinearProbe(C={c!r}, max_iter=100)" for c in (1e-6, 0.01, 1.0)]
    alone = [
        run(replace(spec, evaluator=s, selection=None, classes="validation", n_episodes=20), results, bench())
        for s in settings
    ]
    best = settings[int(np.argmax([tried.accuracy for tried in alone]))]
    assert (row.evaluator, row.chosen) == ("LinearProbe(C=100.0, max_iter=100)", best)
    concrete = run(replace(spec, evaluator=best, selection=None), results, bench())
    assert (row.accuracy, row.episodes_digest) == (concrete.accuracy, concrete.episodes_digest)
    assert row.run_id != concrete.run_id
    assert (row.selection, row.n_trials, row.n_labels_selection) == ("validation classes", 3, 36)
    assert (concrete.selection, concrete.n_trials, concrete.n_labels_selection, concrete.chosen) == ("none", 1, 0, "")


def test_an_oracle_chooses_on_the_test_episodes_and_says_so(spec, results):
    row = run(replace(spec, selection=Selection("oracle", GRID, n_episodes=30)), results, bench())
    assert row.selection == "test episodes (oracle)"
    assert 0 < row.n_labels_selection <= 36
    tried = results.trials.rows()
    assert {t.classes for t in tried} == {"novel"}
    assert row.accuracy == max(t.accuracy for t in tried)
    assert row.chosen == max(tried, key=lambda t: t.accuracy).evaluator


def test_trials_are_rows_of_their_own_beside_the_results(spec, results):
    row = run(spec, results, bench())
    assert results.rows() == [row]
    assert [(t.classes, t.n_episodes, t.selection_rule) for t in results.trials.rows()] == [("validation", 20, "")] * 3
    assert row.selection_rule == repr(spec.selection)


def test_a_choice_that_was_killed_goes_on_where_it_was(spec, results, monkeypatch):
    whole = run(spec, Results(results.path.with_name("whole.jsonl")), bench())
    solved = counted(monkeypatch)
    original = Results.append

    def killed(self, row):
        original(self, row)
        if len(self.rows()) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Results, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            run(spec, results, bench())
    assert (results.rows(), len(results.trials.rows()), len(solved)) == ([], 2, 40)
    row = run(spec, results, bench())
    assert len(solved) == 60 + 30
    for name in ("accuracy", "accuracy_low", "episodes_digest", "run_id", "chosen", "n_labels_selection"):
        assert getattr(row, name) == getattr(whole, name)


def test_more_episodes_keep_the_choice_and_the_first_ones(spec, results, monkeypatch):
    first = run(spec, results, bench())
    solved = counted(monkeypatch)
    more = run(replace(spec, n_episodes=45), results, bench())
    assert (more.chosen, more.run_id, solved) == (first.chosen, first.run_id, [first.chosen] * 15)


def test_a_larger_grid_tries_only_the_new_settings(spec, results, monkeypatch):
    run(spec, results, bench())
    solved = counted(monkeypatch)
    larger = replace(spec, selection=Selection("validation", (("C", (1e-6, 0.01, 1, 10)),), n_episodes=20))
    run(larger, results, bench())
    assert solved.count("LinearProbe(C=10.0, max_iter=100)") >= 20
    assert len(solved) == 20 + 30


def test_a_choice_from_fewer_episodes_reads_only_those(spec, results):
    run(replace(spec, selection=Selection("validation", GRID, n_episodes=40)), results, bench())
    fewer = run(spec, results, bench())
    fresh = run(spec, Results(results.path.with_name("fresh.jsonl")), bench())
    assert [t.accuracy for t in results.trials.rows()] == [
        t.accuracy for t in Results(results.path.with_name("fresh.jsonl")).trials.rows()
    ]
    assert fewer.chosen == fresh.chosen


def test_other_weights_choose_anew(spec, results, caplog):
    run(spec, results, bench())
    real = bench().backbone
    other = bench(backbone=lambda s: replace(real(s), weights_digest="other"))
    run(replace(spec, n_episodes=31), results, other)
    assert {t.weights_digest for t in results.trials.rows()} == {"other"}


def test_another_choice_solves_its_episodes_again(spec, results, monkeypatch):
    task = bench().prepare(spec)
    run(spec, results, bench())
    parts, stored = results.parts(task.run_id), {"choice": "LinearProbe(C=5.0, max_iter=100)"}
    assert parts.missing(0, 30, stored) == [(0, 30)]


def test_shards_try_their_parts_and_then_run_them(spec, results):
    whole = run(spec, Results(results.path.with_name("whole.jsonl")), bench())
    rounds = [run(spec, results, bench(), shard=(i, 2)) for i in (1, 2, 1)]
    assert [row is None for row in rounds] == [True, True, False]
    assert (rounds[2].accuracy, rounds[2].chosen) == (whole.accuracy, whole.chosen)


def test_the_run_id_holds_rule_grid_episodes_and_seed(spec):
    def named(**changes):
        return bench().prepare(replace(spec, selection=replace(spec.selection, **changes))).run_id

    same = named()
    assert named(grid=(("C", [1e-6, 0.01, 1.0]),)) == same
    others = [
        named(grid=(("C", (0.01, 1)),)),
        named(n_episodes=21),
        named(seed=1),
        named(on="oracle"),
        bench().prepare(replace(spec, selection=None)).run_id,
    ]
    assert len({same, *others}) == 6


def test_a_run_without_a_selection_keeps_the_name_that_it_had(spec):
    """Of a committed row: selection "none" changes nothing in what is hashed."""
    line = (FOLDER / "results" / "quick.jsonl").read_text().splitlines()[0]
    row = Row.from_json(line)
    asked = RunSpec(row.dataset, row.backbone, row.evaluator, Sampled(EpisodeShape(5, 1, 15)), row.transform)
    assert bench().prepare(asked).run_id == row.run_id == json.loads(line)["run_id"]
    assert (row.selection_rule, row.n_trials, row.n_labels_selection, row.chosen) == ("", 1, 0, "")


def test_choosing_inside_the_support_is_said_in_the_row(spec, results):
    inside = f"CrossValidated(LinearProbe(), grid={GRID!r}, folds=2)"
    row = run(replace(spec, evaluator=inside, selection=None), results, bench())
    assert (row.selection, row.n_trials, row.n_labels_selection, row.chosen) == ("support", 3, 0, "")
    both = replace(spec, evaluator=inside, selection=replace(spec.selection, grid=(("folds", (2, None)),)))
    row = run(both, results, bench())
    assert (row.selection, row.n_trials) == ("validation classes and support", 6)


def test_one_shot_leaves_nothing_to_hold_out_and_says_so(spec, results):
    inside = f"CrossValidated(LinearProbe(), grid={GRID!r})"
    one = replace(spec, evaluator=inside, selection=None, episodes=Sampled(EpisodeShape(3, 1, 4)))
    ((_, row),) = run_all([one], results, bench())
    assert "every class needs at least 2; found a class with 1" in row.error


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"selection": Selection("validation", (("D", (1, 2)),))}, "LinearProbe has no field 'D'; its fields are: C"),
        ({"classes": "validation"}, "the episodes use validation classes, which include them"),
        ({"classes": "all"}, "the episodes use all classes, which include them"),
        ({"episodes": Listed("some")}, "a list of episodes has no shape, so fewshot cannot sample"),
    ],
)
def test_a_run_that_cannot_choose_so_is_refused(spec, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(spec, **changes)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on": "test"}, "choose hyperparameters on one of validation, images, oracle. Got 'test' instead"),
        ({"grid": ()}, "a grid must hold fields and their values"),
        ({"n_episodes": 0}, "n_episodes of a selection must be an integer of at least 1, got 0"),
        ({"seed": -1}, r"seed of a selection must be an integer in \[0, 2\^64\), got -1"),
        ({"on": "oracle", "seed": 3}, "remove the seed of the selection"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Selection(**{"on": "validation", "grid": GRID} | fields)


def test_a_setting_of_the_wrong_type_fails_the_run_in_one_sentence(spec, results):
    wrong = replace(spec, selection=Selection("validation", (("C", (1.0, "much")),), n_episodes=2))
    ((_, row),) = run_all([wrong], results, bench())
    assert row.status == "failed"
    assert "The 'C' parameter of LinearProbe must be a positive number" in row.error
    assert row.selection_rule == repr(wrong.selection)


def test_a_split_without_validation_classes_fails_the_run_in_one_sentence(spec, results):
    ((_, row),) = run_all([replace(spec, split="AllNovel")], results, bench())
    assert "has no validation classes" in row.error


def test_a_failed_choice_goes_when_it_succeeds(spec, results, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("fewshot.runs.solving.solve", lambda *_, **__: 1 / 0)
        list(run_all([spec], results, bench()))
    assert [row.status for row in results.rows()] == ["failed"]
    run(spec, results, bench())
    assert [row.status for row in results.rows()] == ["ok"]


def test_varied_sets_fields_of_a_spec():
    assert EVALUATORS.varied(EVALUATORS.spec("LinearProbe"), {"C": 1}).text == "LinearProbe(C=1.0, max_iter=100)"
