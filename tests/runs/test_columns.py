"""The columns of a row: every interval that the design allows, and the reason where it does not."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from itertools import repeat

import numpy as np
import pytest

from fewshot.datasets import Group
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.measures.log_loss import log_loss
from fewshot.results.columns import RunName
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row
from fewshot.runs.design import Design
from fewshot.runs.pipeline import run
from fewshot.runs.scores import score
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.hierarchical import Hierarchical
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.intervals import draw_interval
from fewshot.statistics.units import Units
from tests.support.predictions import answered
from tests.support.worlds import labelled

IMAGES = labelled(9, 30)
CLASSES = np.arange(9)


def columns_of(parts, design):
    """The columns of a row of these predictions."""
    return Row.of(RunName("a"), score(parts, design)[0]).columns()


def drawn(shape, count, sampler=None, images=IMAGES, **design):
    """Columns of predictions for drawn episodes, and those predictions."""
    sampler = sampler or Balanced()
    p = answered(sampler.sample(images, CLASSES, shape, 0, 0, count))
    return columns_of([p], Design(images.class_names, CLASSES, **design)), p


def test_columns_are_columns_of_a_row_and_come_back_from_its_line():
    columns, _ = drawn(EpisodeShape(3, 1, 5), 40)
    row = Row.of(RunName("a"), score([answered(Balanced().sample(IMAGES, CLASSES, EpisodeShape(3, 1, 5), 0, 0, 40))],
                                 Design(IMAGES.class_names, CLASSES))[0])  # fmt: skip
    assert Row.from_json(row.to_json()) == row
    assert row.columns() == columns
    named = ("accuracy", "new_images", "new_classes", "new_draws")
    assert not [name for name in named if columns[f"{name}_low"] is None and not columns[f"{name}_reason"]]


def test_a_run_has_the_interval_for_new_classes_and_says_why_it_has_no_other():
    columns, p = drawn(EpisodeShape(3, 1, 5), 40)
    units = Units(p.episodes.classes.astype(np.int64), np.full(40, 3), 9)
    found = class_interval(episode_accuracy(p), units, half_query=0.5 / len(p.predicted))
    assert (columns["new_classes_low"], columns["new_classes_high"]) == (found.low, found.high)
    assert columns["new_classes_monte_carlo"] == found.monte_carlo
    assert (columns["new_classes_unit"], columns["new_classes_reason"]) == ("classes", "")
    assert columns["new_images_reason"] == "the episodes share images; draw them with DisjointPools"
    assert columns["new_draws_reason"] == "the episodes do not answer all of a test set each"
    loss = class_interval(log_loss(p), units)
    assert (columns["log_loss"], columns["log_loss_low"]) == (loss.mean, loss.low)
    assert 0 < columns["auroc_low"] < columns["auroc"] < columns["auroc_high"] < 1
    assert columns["lowest_tenth"] < columns["lowest_class_accuracy"] < columns["accuracy"]


def test_classes_that_no_episode_drew_count_as_classes_too():
    p = answered(Balanced().sample(IMAGES, CLASSES[:6], EpisodeShape(2, 1, 5), 0, 0, 30))
    columns = columns_of([p], Design(IMAGES.class_names, CLASSES))
    units = Units(p.episodes.classes.astype(np.int64), np.full(30, 2), 9)
    found = class_interval(episode_accuracy(p), units, half_query=0.5 / len(p.predicted))
    assert columns["new_classes_low"] == found.low > 0


def test_episodes_that_draw_groups_speak_of_new_groups():
    codes = np.arange(9) // 3
    images = replace(IMAGES, class_groups={"family": Group(codes, ("a", "b", "c"))})
    columns, p = drawn(EpisodeShape(2, 1, 5), 30, Hierarchical("family"), images, groups=("groups (family)", codes))
    groups = codes[p.episodes.classes]
    found = class_interval(episode_accuracy(p), Units(groups, np.full(30, 2), 3), half_query=0.5 / len(p.predicted))
    assert columns["new_classes_unit"] == "groups (family)"
    assert (columns["new_classes_low"], columns["new_classes_high"]) == (found.low, found.high)


@pytest.mark.parametrize("k_shot", [1, 5])
def test_all_ways_on_whole_test_sets_have_the_interval_over_draws_and_each_draw(k_shot):
    columns, p = drawn(EpisodeShape(None, k_shot, None), 5)
    values = episode_accuracy(p)
    right = p.predicted == p.episodes.query_labels
    met = np.unique(p.episodes.query)
    found = draw_interval(values, np.array([right[p.episodes.query == row].mean() for row in met]), IMAGES.labels[met])
    assert (columns["new_draws_low"], columns["new_draws_high"]) == (found.low, found.high)
    assert [float(draw) for draw in columns["draws"].split()] == pytest.approx(values, rel=1e-5)
    assert columns["new_classes_reason"] == "every episode holds every one of the classes"
    assert columns["new_classes_low"] is None
    assert columns["macro_f1"] is not None
    assert columns["lowest_tenth"] is None


def test_a_test_set_apart_is_answered_as_a_whole():
    parts = Group(np.arange(len(IMAGES)) % 2, ("test", "train"))
    images = replace(IMAGES, image_groups={"partition": parts})
    sampler = Balanced("partition=train", "partition=test")
    columns, p = drawn(EpisodeShape(None, 3, None), 3, sampler, images)
    assert len(p.predicted) == 3 * (parts.codes == 0).sum()
    assert columns["new_draws_low"] < columns["accuracy"] < columns["new_draws_high"]
    one, _ = drawn(EpisodeShape(None, 3, None), 1, sampler, images)
    assert one["new_draws_reason"] == "one support was drawn; at least 2 are needed"
    assert one["accuracy_reason"] == "one episode has no spread"
    assert one["accuracy_low"] is None


@pytest.mark.parametrize("images", [IMAGES, replace(
    IMAGES, image_groups={"partition": Group(np.arange(270) % 2, ("test", "train"))})])  # fmt: skip
def test_the_support_of_one_shot_is_the_first_of_five_shots_in_all_way_draws(images):
    pools = (None, None) if not images.image_groups else ("partition=train", "partition=test")
    one, five = (Balanced(*pools).sample(images, CLASSES, EpisodeShape(None, k, None), 0, 0, 4) for k in (1, 5))
    assert one.support.reshape(4, 9, 1).tolist() == five.support.reshape(4, 9, 5)[:, :, :1].tolist()
    for e in range(4):
        asked = (set(x.query[x.query_start[e] : x.query_start[e + 1]].tolist()) for x in (one, five))
        first, second = asked
        assert second <= first
        assert (first == second) == bool(images.image_groups)


def test_one_episode_of_some_classes_is_no_test_set_as_a_whole():
    columns, _ = drawn(EpisodeShape(3, 1, 5), 1)
    assert columns["new_draws_reason"] == "the episodes do not answer all of a test set each"
    assert columns["draws"] == ""


def test_where_a_number_of_ways_would_be_lost_no_measure_has_an_interval():
    lists = [np.flatnonzero(IMAGES.labels == c) for c in range(9)]
    held = [(0, 1), (2, 3), (4, 5), (6, 7), (1, 8), (0, 2, 4)]
    p = answered(Episodes.from_rows(IMAGES, [[int(lists[c][0]) for c in some] for some in held],
                                    [[int(lists[c][i]) for c in some for i in (1, 2)] for some in held]))  # fmt: skip
    columns = columns_of([p], Design(IMAGES.class_names, CLASSES))
    assert "in every episode of their number of ways" in columns["new_classes_reason"]
    for name in ("new_classes", "macro_f1", "log_loss", "calibration_error", "auroc", "average_precision"):
        assert columns[f"{name}_low"] is None


def test_what_is_read_in_parts_gives_the_same_columns():
    whole, p = drawn(EpisodeShape(3, 1, 5), 40)
    parted = columns_of([p[:7], p[7:8], p[8:]], Design(IMAGES.class_names, CLASSES))
    assert json.dumps(parted) == json.dumps(whole)


def test_many_episodes_take_little_more_memory_than_few():
    """Some 40 bytes an episode; when answers were kept until all were read, it was 1000."""
    _, p = drawn(EpisodeShape(5, 1, 15), 500)
    p = replace(p, logits=None)

    def peak(n_parts):
        tracemalloc.start()
        score(repeat(p, n_parts), Design(IMAGES.class_names, CLASSES))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # imports
    assert peak(40) - peak(4) < 36 * len(p) * 80


def test_without_logits_there_is_the_reason_in_place_of_auroc():
    _, p = drawn(EpisodeShape(3, 1, 5), 40)
    some = columns_of([p[:20], replace(p[20:], logits=None)], Design(IMAGES.class_names, CLASSES))
    assert some["ranking_reason"].startswith("logits were not kept")
    assert some["auroc"] is None
    assert some["macro_f1"] is not None


def test_an_episode_that_asks_for_one_class_alone_is_left_out_of_the_auroc():
    rows = [np.flatnonzero(IMAGES.labels == c) for c in range(9)]
    lists = [[[int(rows[c][0]) for c in held], [int(rows[c][i]) for c in asked for i in (5, 6)]] for held, asked in (
        ((0, 1), (0, 1)), ((2, 3), (2,)), ((3, 4), (3, 4)), ((5, 6), (5, 6)), ((7, 8), (7, 8)))]  # fmt: skip
    p = answered(Episodes.from_rows(IMAGES, [s for s, _ in lists], [q for _, q in lists]))
    columns = columns_of([p], Design(IMAGES.class_names, CLASSES))
    assert np.isfinite(columns["auroc"])
    alone = columns_of([p[1:2]], Design(IMAGES.class_names, CLASSES))
    assert (alone["auroc"], alone["ranking_reason"]) == (None, "no episode asks for a class and for others")


def test_a_row_of_an_older_release_gets_its_columns_from_stored_predictions(folder, results, monkeypatch):
    spec = RunSpec(f"ImageFolderSet(root={str(folder)!r})", "RawPixels(4)", "Prototype", split="AllNovel",
                   episodes=Sampled(EpisodeShape(3, 2, 4)), n_episodes=30)  # fmt: skip
    row = run(spec, results, Workbench(progress=False))
    old = {k: v for k, v in json.loads(row.to_json()).items() if not k.startswith(("new_", "auroc", "macro", "log_"))}
    results.path.write_text(json.dumps(old) + "\n")
    monkeypatch.setattr("fewshot.runs.solving.solve", lambda *a, **k: pytest.fail("solved again"))
    assert run(spec, results, Workbench(progress=False)) == row
    assert results.rows() == [row]
    lost = Results(results.path.with_name("alone.jsonl"))
    lost.path.write_text(json.dumps(old) + "\n")
    assert run(spec, lost, Workbench(progress=False)).measures["macro_f1"] is None
