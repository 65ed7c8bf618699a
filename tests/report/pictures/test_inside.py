"""What a page tells of one run: calibration, classes, hard episodes; or why it cannot."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fewshot.measures.calibration_error import Bins
from fewshot.report import page
from fewshot.report.figures.calibration import reliability_diagram
from fewshot.report.pictures.inside import MOST_TASKS, inside
from fewshot.report.rows.images import RowImages
from fewshot.report.rows.shown import Shown
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from tests.support.report_rows import EVIL, invented_images, invented_predictions, row, stored

NAMES = (EVIL, "gull", "$tern$", "漢字", "\ud800 auk", "wren", "crow")


@pytest.fixture
def looked(tmp_path):
    """A row of twelve episodes with its predictions, and the images."""
    images = invented_images(NAMES)
    predictions = invented_predictions(images, n=12)
    one = row(float(episode_accuracy(predictions).mean()), n_episodes=12)
    return [one], stored(tmp_path, [one], predictions, one.run_id), images, predictions


def test_the_hardest_episodes_stand_first_and_the_worst_are_drawn(looked):
    rows, results, images, predictions = looked
    [found] = inside(Shown.of(rows), results, lambda _: images)
    values = episode_accuracy(predictions)
    assert [hard.accuracy for hard in found.hardest] == sorted(values.tolist())[:10]
    worst = found.hardest[0]
    assert worst.accuracy == values[predictions.episodes.index == worst.index][0]
    classes = predictions.episodes[int(worst.index) : int(worst.index) + 1].classes
    assert worst.classes == ", ".join(NAMES[c] for c in classes)
    assert [picture.address[:11] for picture in found.pictures] == ["data:image/"] * 2
    assert "the tenth of them that went worst" in found.hardest_text


def test_every_class_has_its_accuracy_the_lowest_first(looked):
    rows, results, images, predictions = looked
    [found] = inside(Shown.of(rows), results, lambda _: images)
    assert {line.name for line in found.classes} == {NAMES[c] for c in np.unique(predictions.episodes.classes)}
    assert [line.accuracy for line in found.classes] == sorted(line.accuracy for line in found.classes)
    assert sum(line.n_episodes for line in found.classes) == 12 * 5
    assert all(line.taken_for.endswith(("time", "times")) for line in found.classes if line.accuracy < 1)


def test_without_the_data_set_classes_are_numbers_and_nothing_is_drawn(looked):
    def lost(_):
        raise ValueError("there is no folder birds")

    rows, results, _, _ = looked
    [found] = inside(Shown.of(rows), results, lost)
    assert "cannot be loaded (there is no folder birds), so classes are numbers" in found.text
    assert all(line.name.startswith("class ") for line in found.classes)
    assert [picture.address for picture in found.pictures] == [""]


def test_without_all_predictions_there_is_a_sentence(looked):
    rows, results, images, _ = looked
    assert "were not given" in inside(Shown.of(rows), None, lambda _: images)[0].text
    more = [row(0.75, n_episodes=13)]
    assert "No run can be looked into" in inside(Shown.of(more), results, lambda _: images)[0].text


def test_the_page_escapes_the_names_of_classes_and_has_the_diagram(looked, monkeypatch):
    rows, results, images, _ = looked
    monkeypatch.setattr(RowImages, "load", lambda *_: images)
    text = page(Shown.of(rows), results, "mine")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "in 15 equal parts, one mark each" in text
    assert "The hardest episodes" in text
    assert page(Shown.of(rows), results, "mine") == text


def test_episodes_of_many_classes_are_named_in_part_and_not_drawn(tmp_path):
    images = invented_images(tuple(f"c{n}" for n in range(25)))
    predictions = invented_predictions(images, n_way=25, n_query=3)
    one = row(float(episode_accuracy(predictions).mean()), n_episodes=2)
    results = stored(tmp_path, [one], predictions, one.run_id)
    [found] = inside(Shown.of([one]), results, lambda _: images)
    assert found.hardest[0].classes.endswith("and 17 more")
    assert "a picture holds 20 classes, not 25" in found.pictures[0].text
    assert found.hardest_text == "All 2 episodes, the hardest first."


def test_a_diagram_tells_how_far_and_to_which_side():
    plot = reliability_diagram(Bins(np.array([0.5, 0.9]), np.array([0.4, 0.7]), 10.0), "calibration")
    assert "is 15.0 points. Mean confidence is 15.0 points above accuracy." in plot.caption
    assert "confidence 90.0 %, accuracy 70.0 %" in plot.svg


def several(folder, images, n_tasks, **columns):
    """A run of each of several tasks with its predictions, of other episodes each."""
    rows, results = [], Results(folder / "rows.jsonl")
    for n_query in range(1, n_tasks + 1):
        predictions = invented_predictions(images, n=12, wrong=0.1 * n_query)
        accuracy = float(episode_accuracy(predictions).mean())
        rows.append(row(accuracy, n_episodes=12, n_query=n_query, **columns))
        results.append(rows[-1])
        results.parts(rows[-1].run_id).write(predictions, {})
    return rows, results


def test_the_best_run_of_each_task_is_looked_into_and_says_which(tmp_path):
    images = invented_images(NAMES)
    rows, results = several(tmp_path, images, 2)
    worse = row(0.5, n_episodes=12, n_query=1, evaluator="RidgeProbe()")
    first, second = inside(Shown.of([*rows, worse]), results, lambda _: images)
    assert first.task == "icons mono, novel classes, 5-way, 1 query per class"
    assert second.task == "icons mono, novel classes, 5-way, 2 queries per class"
    assert first.text == "raw pixels 32 with L2 + Prototype, 1 shot: the best run of this task."
    means = [np.mean([line.accuracy for line in each.classes]) for each in (first, second)]
    assert means[0] > means[1]


def test_no_more_than_a_few_tasks_are_looked_into_and_the_others_are_named(tmp_path):
    images = invented_images(NAMES)
    rows, results = several(tmp_path, images, 6)
    *looked_into, rest = inside(Shown.of(rows), results, lambda _: images)
    assert len(looked_into) == MOST_TASKS
    assert rest.calibration is None
    assert rest.text.startswith("Not looked into: icons mono, novel classes, 5-way, 5 queries per class; ")


def test_a_task_without_predictions_is_said_beside_one_that_has_them(tmp_path):
    images = invented_images(NAMES)
    rows, results = several(tmp_path, images, 1)
    lost = row(0.8, n_episodes=12, n_query=9)
    first, second = inside(Shown.of([lost, *rows]), results, lambda _: images)
    assert "No run can be looked into" in first.text
    assert first.task.endswith("9 queries per class")
    assert second.calibration is not None


def test_the_page_has_a_heading_for_each_task_and_no_id_twice(tmp_path, monkeypatch):
    images = invented_images(NAMES)
    rows, results = several(tmp_path, images, 2)
    monkeypatch.setattr(RowImages, "load", lambda *_: images)
    text = page(Shown.of(rows), results, "two")
    assert "<h2>Inside the best run of each task</h2>" in text
    assert text.count("<h4>The hardest episodes</h4>") == 2
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    one = page(Shown.of(rows[:1]), results, "one")
    assert "<h2>Inside the best run</h2>" in one
    assert "<h3>icons mono, novel classes, 5‑way, 1 query per class</h3>" in one
