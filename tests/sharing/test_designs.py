"""Submissions of every kind of episodes hold: pools, groups of classes, unequal queries, test sets, lists, choices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.datasets.icons import Icons
from fewshot.episodes.lists import EpisodeList
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import SPLITS
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.results.selection_rule import Selection
from fewshot.runs.pipeline import run
from fewshot.runs.specs import Listed, RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.samplers.disjoint_pools import DisjointPools
from fewshot.sharing.about import About
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.images import AtHand
from fewshot.sharing.submit import submit
from fewshot.sharing.verify import Verified, verify
from tests.support.submissions import change_rows, first_row

SHAPE = EpisodeShape(5, 2, 4)
EPISODES: dict[str, Any] = {
    "pools": Sampled(EpisodeShape(5, 1, 2), 3, DisjointPools(pools=5)),
    "groups of classes": Sampled(EpisodeShape(3, 2, 4), 0, "Hierarchical(group='superclass', within=False)"),
    "unequal queries": Sampled(SHAPE, 0, "DirichletQuery(support_reserve=4)"),
    "unequal supports": Sampled(SHAPE, 0, "Imbalanced()"),
    "varying shapes": Sampled(EpisodeShape(None, None, None), 0, "VariableWayShot()"),
    "all ways": Sampled(EpisodeShape(None, 2, 2), 0, "Balanced()"),
    "whole test sets": Sampled(EpisodeShape(None, 2, None), 0, "Balanced()"),
    "a late seed": Sampled(SHAPE, (1 << 64) - 1, "Balanced()"),
}


def holds(tmp_path: Path, **changes: Any) -> Verified:
    """What a verification finds of one run on icons."""
    usual = {"dataset": "Icons()", "backbone": "RawPixels(image_size=4)", "evaluator": "Prototype()", "n_episodes": 12}
    results = Results(tmp_path / "runs.jsonl")
    run(RunSpec(**{"episodes": Sampled(SHAPE)} | usual | changes), results, Workbench(progress=False))
    done = submit(Collection.of([results]), tmp_path / "out", About("A"), AtHand(own=True))
    assert done.manifest.left_out == ()
    found = verify(tmp_path / "out", AtHand(), n_reruns=1)
    assert found.problems == ()
    assert len(found.statistics) == 1
    return found


@pytest.mark.parametrize("kind", EPISODES)
def test_episodes_of_every_kind_are_checked_and_drawn_again(tmp_path, kind):
    found = holds(tmp_path, episodes=EPISODES[kind])
    assert (len(found.episodes), len(found.reruns), found.unchecked) == (1, 1, ())


@pytest.mark.parametrize("evaluator", ["TIM()", "LinearSVM()", "CrossValidated(LinearProbe(), (('C', (0.1, 1.0)),))"])
def test_labels_of_evaluators_are_those_of_their_spec(tmp_path, evaluator):
    found = holds(tmp_path, evaluator=evaluator)
    assert found.unchecked == ()
    assert found.runs[0].row.transductive == (evaluator == "TIM()")


@pytest.mark.parametrize("on", ["validation", "oracle"])
def test_a_choice_of_hyperparameters_is_repeated_by_a_rerun(tmp_path, on):
    rule = Selection(on, (("metric", ("euclidean", "cosine")),), n_episodes=4)
    found = holds(tmp_path, selection=rule)
    assert len(found.reruns) == 1
    assert found.unchecked == ()
    assert [text.partition(": ")[2] for text in verify(tmp_path / "out", AtHand()).unchecked] == [
        "its choice of hyperparameters: its trials are not here, but --rerun repeats them"
    ]


@pytest.mark.parametrize("on", ["validation", "oracle"])
def test_the_images_find_a_forged_number_of_labels_that_chose_hyperparameters(tmp_path, on):
    rule = Selection(on, (("metric", ("euclidean", "cosine")),), n_episodes=4)
    holds(tmp_path, selection=rule)
    used = first_row(tmp_path / "out").n_labels_selection
    assert used
    change_rows(tmp_path / "out", lambda row: row.update(n_labels_selection=3))
    problems = verify(tmp_path / "out", AtHand()).problems
    words = f"n_labels_selection is 3 in the row, but its rule uses {used:,} labelled images"
    assert any(words in text for text in problems)


def test_a_list_of_episodes_keeps_its_pools_and_cannot_be_drawn_again(tmp_path):
    images = Icons().load()
    split = SPLITS.make("Committed(name='icons_mono')").split(images)
    sampler = DisjointPools(pools=5)
    index = np.arange(12)
    episodes = sampler.sample(images, split.classes("novel", images), EpisodeShape(5, 1, 2), 0, 0, 12)
    EpisodeList.of(episodes, images, pools=sampler.pools_of(index)).save(tmp_path / "list.safetensors")
    found = holds(tmp_path, episodes=Listed(tmp_path / "list.safetensors"))
    assert found.runs[0].design.pools == tuple(sampler.pools_of(index).tolist())
    assert found.runs[0].row.new_images_low is not None
    assert found.runs[0].row.sampler == "Listed('list.safetensors')"
    assert (found.episodes, found.reruns) == ((), ())
    assert any("they are a list" in text for text in found.unchecked)


def test_classes_that_no_episode_holds_need_the_images(tmp_path):
    results = Results(tmp_path / "runs.jsonl")
    spec = RunSpec("Icons()", "RawPixels(image_size=4)", "Prototype()", Sampled(SHAPE), n_episodes=2)
    row = run(spec, results, Workbench(progress=False))
    assert row is not None
    from fewshot.sharing.designs import of_predictions

    with pytest.raises(ValueError, match=r"its episodes hold \d+ of 88 classes, .* name them with --data"):
        of_predictions(row, results)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": [2, 1]}, "in order"),
        ({"classes": [1, 1]}, "in order"),
        ({"classes": [-1, 1]}, "in order"),
        ({"classes": [0, 1 << 40]}, "in order"),
        ({"classes": ["0"]}, "should be a list of integers"),
        ({"classes": "01"}, "should be a list of integers"),
        ({"class_names": ["a", "a"]}, "every class once"),
        ({"class_names": ["a"]}, "named classes only"),
        ({"groups": [0, 1]}, "the group of every class"),
        ({"group_name": "groups (family)", "groups": [0]}, "the group of every class"),
    ],
)
def test_a_design_of_a_stranger_is_read_with_care(change, words):
    design = SharedDesign("birds", ("a", "b"), (0, 1))
    assert SharedDesign.of_values(_lists(design.values())) == design
    with pytest.raises(ValueError, match=words):
        SharedDesign.of_values(_lists(design.values()) | change)


def _lists(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
