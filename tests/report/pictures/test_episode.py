"""A drawn episode shows what was asked, whatever the images are."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.report.pictures.episode import plot_episode
from tests.support.report_rows import EVIL, invented_images, invented_predictions

NAMES = ("gull", "tern", "skua", "puffin", "auk", "漢字 \ud800 $x$")


@pytest.fixture(scope="module")
def images():
    return invented_images(NAMES)


def size(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def test_the_same_episode_gives_the_same_bytes(images):
    predictions = invented_predictions(images)
    first, second = (plot_episode(images, predictions.episodes, 1, predictions) for _ in range(2))
    assert first == second


def test_predictions_change_the_picture_but_not_its_size(images):
    predictions = invented_predictions(images)
    without = plot_episode(images, predictions.episodes, 0)
    marked = plot_episode(images, predictions.episodes, 0, predictions)
    assert marked != without
    assert size(marked) == size(without)


def test_right_and_wrong_differ_by_more_than_colour(images):
    predictions = invented_predictions(images, n=1, wrong=0.0)
    all_wrong = replace(predictions, predicted=(predictions.predicted + 1) % 5)
    grey = [
        np.asarray(Image.open(io.BytesIO(plot_episode(images, p.episodes, 0, p))).convert("L"), dtype=int)
        for p in (predictions, all_wrong)
    ]
    assert (np.abs(grey[0] - grey[1]) > 60).sum() > 1000


def test_many_queries_are_not_all_drawn():
    many = invented_images(NAMES, each=130)
    few, lots = (plot_episode(many, invented_predictions(many, n_query=n).episodes, 0) for n in (15, 100))
    assert size(few) == size(lots)


def test_many_classes_are_not_all_drawn():
    many = invented_images(tuple(map(str, range(60))), each=4)
    heights = [size(plot_episode(many, invented_predictions(many, n, 1, 2).episodes, 0))[1] for n in (20, 60)]
    assert heights[0] == heights[1]


def test_one_support_image_and_two_ways_are_enough(images):
    assert size(plot_episode(images, invented_predictions(images, 2, 1, 1, 1).episodes, 0)) > (100, 100)


def test_a_class_without_queries_is_drawn(images):
    episodes = Episodes.from_rows(images, [[0, 24]], [[1]])
    assert plot_episode(images, episodes, 0).startswith(b"\x89PNG")


def test_photos_of_any_proportion_are_drawn():
    pixels = np.zeros((4, 30, 2000, 3), np.uint8)
    wide = LabelledImages("wide", ArrayImages(pixels), np.array([0, 0, 1, 1]), ("a", EVIL * 20), "cd" * 32)
    assert plot_episode(wide, Episodes.from_rows(wide, [[0, 2]], [[1, 3]]), 0).startswith(b"\x89PNG")


def test_what_does_not_belong_together_is_an_error(images):
    predictions = invented_predictions(images)
    with pytest.raises(ValueError, match="no episode at position 2; give one of 0 to 1"):
        plot_episode(images, predictions.episodes, 2)
    with pytest.raises(ValueError, match="predictions were made for other episodes"):
        plot_episode(images, predictions.episodes[:1], 0, predictions)
    with pytest.raises(ValueError, match="load the data set that they were made for"):
        plot_episode(replace(images, images_digest="0" * 64), predictions.episodes, 0)
