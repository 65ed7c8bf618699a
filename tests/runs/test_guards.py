"""Runs refuse numbers that leak: a fault is planted for every guard."""

from __future__ import annotations

import dataclasses
import shutil
import types

import numpy as np
import pytest
import torch

from fewshot.backbones._stillness import unchanged
from fewshot.datasets import LabelledImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection
from fewshot.runs import guards
from fewshot.runs.pipeline import run
from fewshot.runs.specs import Listed, RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.samplers.balanced import Balanced
from fewshot.splits import ClassSplit
from tests.support.planted_leaks import LooksAround

HERE = "tests.support.planted_leaks:"
BATCHNORM = f"Function(target='{HERE}network_with_batchnorm', image_size=16)"
ON_IMAGES = {"backbone": BATCHNORM, "transform": "Identity()"}


@pytest.fixture
def spec(folder, own_home):
    return RunSpec(
        dataset=f"ImageFolderSet(root={str(folder)!r})",
        backbone="RawPixels(image_size=4)",
        evaluator="Prototype()",
        split="AllNovel()",
        episodes=Sampled(EpisodeShape(3, 2, 4)),
        n_episodes=6,
    )


def made(spec: RunSpec, results: Results, **changed: object) -> Row:
    row = run(dataclasses.replace(spec, **changed), results, Workbench(progress=False))  # type: ignore[arg-type]
    assert row is not None
    return row


def test_a_head_that_uses_statistics_of_the_queries_is_refused(spec, results):
    with pytest.raises(
        ValueError, match=r"CentresOnTheQueries\(\) gave a query other logits alone than among other queries"
    ):
        made(spec, results, evaluator=f"{HERE}CentresOnTheQueries()")


def test_a_head_that_scores_with_batchnorm_in_training_mode_is_refused(spec, results):
    with pytest.raises(ValueError, match="through their statistics or a layer in training mode"):
        made(spec, results, evaluator=f"{HERE}ScoresInTrainingMode()", **ON_IMAGES)


def test_an_evaluator_that_moves_the_networks_statistics_is_refused(spec, results):
    with pytest.raises(ValueError, match=r"not the same network after solving .*: its buffer '1.running_mean' moved"):
        made(spec, results, evaluator=f"{HERE}ScoresInTrainingMode(moves_the_given=True)", **ON_IMAGES)


def test_a_network_that_moves_while_it_embeds_is_refused(spec, results):
    with pytest.raises(ValueError, match="not the same network after embedding: its buffer 'mean' moved"):
        made(spec, results, backbone=f"Function(target='{HERE}restless_network', image_size=16)")


def test_buffers_of_nan_that_stay_are_no_move():
    network = torch.nn.BatchNorm1d(2).eval()
    network.running_mean.fill_(torch.nan)
    with unchanged(network, "it", "use"):
        network(torch.zeros(1, 2))


def test_changed_weights_are_told_too():
    network = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match="its weights changed"), unchanged(network, "mine", "a walk"):
        network.weight.data += 1


def test_a_network_that_stands_still_passes(spec, results):
    assert made(spec, results, backbone=BATCHNORM).status == "ok"
    assert made(spec, results, evaluator="FineTune(tune='all', steps=2)", **ON_IMAGES).status == "ok"


def test_queries_among_the_support_are_refused(spec, results):
    with pytest.raises(
        ValueError, match=r"AsksTheSupport\(\) sampled episodes that are not well-formed: image \d+ is twice"
    ):
        made(spec, results, episodes=Sampled(EpisodeShape(3, 2, 4), sampler=f"{HERE}AsksTheSupport()"))


@pytest.fixture
def split(spec, tmp_path) -> str:
    """Three seen and three novel classes."""
    path = tmp_path / "split.json"
    ClassSplit.of("abc", [], "def").save(path)
    return f"FromFile({str(path)!r})"


def test_a_sampler_that_draws_seen_classes_is_refused(spec, results, split):
    asked = Sampled(EpisodeShape(3, 2, 4), sampler=f"{HERE}DrawsFromAllClasses()")
    with pytest.raises(ValueError, match="hold 3 classes that are not novel in this split, such as 'a'"):
        made(spec, results, split=split, episodes=asked)


def test_a_list_of_seen_classes_is_refused_as_one_of_novel_ones(spec, results, split, tmp_path):
    images: LabelledImages = DATASETS.make(spec.dataset).load()
    listed = Balanced().sample(images, np.arange(6), EpisodeShape(3, 2, 4), 0, 0, 20)
    listed.save(tmp_path / "list.safetensors")
    asked = {"episodes": Listed(tmp_path / "list.safetensors"), "split": split}
    with pytest.raises(ValueError, match="use the split that they were sampled with, or classes='all'"):
        made(spec, results, **asked)
    assert made(spec, results, **asked, classes="all").n_episodes == 6


def test_a_class_stands_in_one_part_of_a_split():
    with pytest.raises(ValueError, match="'crow' is listed twice"):
        ClassSplit.of(["crow", "wren"], [], ["crow", "gull"])


def test_classes_that_differ_only_in_how_they_are_written_are_told(caplog):
    split = ClassSplit.of(["Herring Gull", "wren"], ["crow"], ["herring_gull", "duck"])
    guards.warn_similar_names(split, "novel")
    (warning,) = caplog.messages
    assert warning.startswith(
        "1 novel class is spelled like classes of another part, such as 'herring_gull' and, seen,"
    )
    caplog.clear()
    guards.warn_similar_names(ClassSplit.of(["wren"], [], ["wr\u0435n", "duck"]), "novel")
    assert "1 novel class is spelled like classes of another part" in caplog.text
    caplog.clear()
    guards.warn_similar_names(ClassSplit.of(["wren"], ["crow"], ["gull", "duck"]), "novel")
    guards.warn_similar_names(split, "all")
    assert not caplog.messages


def reachable(thing: object) -> list[np.ndarray]:
    """Every array that can be reached from a thing by its fields, items and closures."""
    arrays, seen, waiting = [], set(), [thing]
    while waiting:
        now = waiting.pop()
        if id(now) in seen or isinstance(now, type | types.ModuleType | str):
            continue
        seen.add(id(now))
        if isinstance(now, torch.Tensor | np.ndarray):
            arrays.append(np.asarray(now).ravel())
        elif isinstance(now, dict):
            waiting += list(now.values())
        elif isinstance(now, list | tuple | set):
            waiting += list(now)
        elif isinstance(now, types.FunctionType):
            waiting += [cell.cell_contents for cell in now.__closure__ or ()]
        else:
            waiting += list(getattr(now, "__dict__", {}).values())
    return arrays


def test_query_labels_cannot_be_reached_from_what_an_evaluator_is_given(spec, results):
    """All of it is searched: no array holds the labels of the queries, or those of the data set."""
    LooksAround.given.clear()
    row = made(spec, results, evaluator=f"{HERE}LooksAround()")
    assert row.status == "ok"
    images = DATASETS.make(spec.dataset).load()
    found = reachable(LooksAround.given)
    assert len(found) > 5
    truth = np.repeat(np.arange(3), 4)  # class by class, of an episode
    for array in found:
        if array.dtype.kind in "iu":
            assert not any(np.array_equal(array[: len(truth) * n], np.tile(truth, n)) for n in (1, 6))
            assert not np.array_equal(array, images.labels)
    planted = reachable([*LooksAround.given, lambda: truth])  # the search finds what is there
    assert any(np.array_equal(array, truth) for array in planted)


def test_who_sees_all_queries_says_so_and_others_do_not(spec, results):
    assert made(spec, results, evaluator="TIM()").transductive
    assert not made(spec, results).transductive


def test_hyperparameters_chosen_on_test_episodes_are_called_that(spec, results):
    chosen = made(spec, results, evaluator="LinearProbe()", selection=Selection("oracle", (("C", (0.1, 1.0)),), 4))
    assert (chosen.selection, chosen.n_trials) == ("test episodes (oracle)", 2)
    assert chosen.n_labels_selection > 0


def test_a_single_query_cannot_be_compared_with_others(spec, results):
    assert made(spec, results, episodes=Sampled(EpisodeShape(3, 2, 1)), evaluator="LinearProbe()").status == "ok"


def numbered_as_frames(folder, target):
    """A copy of a folder whose pictures are named like frames of three videos per class."""
    for class_folder in folder.iterdir():
        (target / class_folder.name).mkdir(parents=True)
        for place, picture in enumerate(sorted(class_folder.iterdir())):
            name = f"{class_folder.name}{place % 3}_{place // 3:04}{picture.suffix}"
            shutil.copy(picture, target / class_folder.name / name)
    return target


def test_frames_of_videos_on_both_sides_are_warned_of_once_with_what_to_type(spec, results, folder, tmp_path, caplog):
    frames = numbered_as_frames(folder, tmp_path / "frames")
    spec, bench = dataclasses.replace(spec, dataset=f"ImageFolderSet(root={str(frames)!r})"), Workbench(progress=False)
    for k_shot in (1, 2):
        run(dataclasses.replace(spec, episodes=Sampled(EpisodeShape(3, k_shot, 4))), results, bench)
    warnings = [record.getMessage() for record in caplog.records if "numbered like frames" in record.getMessage()]
    assert len(warnings) == 1
    typed = warnings[0].partition('--sampler "')[2].rstrip('"')
    caplog.clear()
    made(spec, results, episodes=Sampled(EpisodeShape(3, 1, 2), sampler=typed))
    assert not caplog.records


def test_a_run_of_plainly_numbered_images_warns_of_nothing(spec, results, caplog):
    made(spec, results)
    assert not [record for record in caplog.records if "frames" in record.getMessage()]


def test_an_episode_that_does_not_fit_the_memory_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr("fewshot.runs.guards.free_bytes", lambda: 10**9)
    guards.check_memory(10**9, 5, 5, "Prototype()")
    sentence = "one episode of 8,000 ways and 8,000 support images needs about 1.4 GB with RidgeProbe.*1.0 GB are free"
    with pytest.raises(ValueError, match=sentence):
        guards.check_memory(1_400_000_000, 8000, 8000, "RidgeProbe()")


def test_no_episode_is_refused_where_the_free_memory_is_unknown(monkeypatch):
    monkeypatch.setattr("fewshot.runs.guards.free_bytes", lambda: None)
    guards.check_memory(10**18, 8000, 8000, "RidgeProbe()")


@pytest.mark.parametrize("evaluator", ["RidgeProbe()", "TIM()", "Prototype()"])
def test_a_run_with_too_large_episodes_computes_nothing(monkeypatch, tmp_path, evaluator):
    monkeypatch.setattr("fewshot.runs.guards.free_bytes", lambda: 100)
    spec = RunSpec("Icons()", "RawPixels(4)", evaluator, Sampled(EpisodeShape(5, 1, 2)), n_episodes=2)
    with pytest.raises(ValueError, match="one episode of 5 ways and 5 support images needs about"):
        run(spec, Results(tmp_path / "rows.jsonl"), Workbench(progress=False, folder=tmp_path))
