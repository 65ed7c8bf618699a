"""CoOp's draws: the images that a file lists are the support, whatever the order and the root of their paths."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fewshot.conformance.samplers import by_rank, labelled
from fewshot.datasets import LabelledImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.published_draws import PublishedDraws

ALL = EpisodeShape(None, 2, None)


@pytest.fixture
def world() -> LabelledImages:
    """Three classes of twelve images in train, val and test, with names of files."""
    images = labelled([12] * 3, partition=by_rank(("train", "val", "test"), 1))
    names = [f"class{label}/image_{row:03d}.jpg" for row, label in enumerate(images.labels.tolist())]
    return replace(images, image_names=names)


def some(world: LabelledImages, part: str, number: int, first: int = 0) -> list[int]:
    """The first rows of a part of each class, class by class."""
    rows = np.flatnonzero(world.mask(f"partition={part}"))
    return [int(row) for label in range(3) for row in rows[world.labels[rows] == label][first : first + number]]


def write(
    folder: Path, world: LabelledImages, k_shot: int, seed: int, first: int = 0, root: str = "/authors/data"
) -> Path:
    names = list(world.image_names or ())
    parts = {"train": some(world, "train", k_shot, first), "val": some(world, "val", min(k_shot, 4))}
    content = {
        part: {"data": [{"impath": f"{root}/{names[row]}", "label": int(world.labels[row])} for row in rows[::-1]]}
        for part, rows in parts.items()
    }
    file = folder / f"shot_{k_shot}-seed_{seed}.json"
    file.write_text(json.dumps(content))
    return file


def test_the_listed_images_are_the_support_of_each_draw_and_the_test_set_its_queries(world, tmp_path):
    for seed, first in ((1, 0), (2, 1), (3, 2)):
        write(tmp_path, world, 2, seed, first)
    episodes = PublishedDraws(tmp_path).sample(world, np.arange(3), ALL, 0, 0, 3)
    episodes.check(world)
    for e in range(3):
        assert sorted(episodes[e].support) == sorted(some(world, "train", 2, e))
        assert sorted(episodes[e].query) == np.flatnonzero(world.mask("partition=test")).tolist()
        assert world.labels[episodes[e].support].tolist() == [0, 0, 1, 1, 2, 2]


def test_hyperparameters_are_chosen_on_the_listed_validation_images(world, tmp_path):
    write(tmp_path, world, 2, 1)
    episode = PublishedDraws(tmp_path).for_choice().sample(world, np.arange(3), ALL, 0, 0, 1)
    assert sorted(episode.support) == sorted(some(world, "train", 2))
    assert sorted(episode.query) == sorted(some(world, "val", 2))


def test_a_draw_that_is_not_there_is_named(world, tmp_path):
    write(tmp_path, world, 2, 1)
    with pytest.raises(ValueError, match=r"there is no published draw .*shot_2-seed_2.json"):
        PublishedDraws(tmp_path).sample(world, np.arange(3), ALL, 0, 0, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("image_", "picture_", "has no image of that path"),
        ("class", "other", "has no image of that path"),
        ('"impath"', '"path"', "is not a published draw"),
        ('{"data"', '{"rows"', "is not a published draw"),
    ],
)
def test_a_wrong_file_is_named(old, new, message, world, tmp_path):
    file = write(tmp_path, world, 2, 1)
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        PublishedDraws(tmp_path).sample(world, np.arange(3), ALL, 0, 0, 1)


def test_an_image_of_another_partition_is_refused(world, tmp_path):
    file = write(tmp_path, world, 2, 1)
    content = json.loads(file.read_text())
    content["train"]["data"].append({"impath": (world.image_names or ())[some(world, "test", 1)[0]], "label": 0})
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="an image outside the partition train"):
        PublishedDraws(tmp_path).sample(world, np.arange(3), ALL, 0, 0, 1)


@pytest.mark.parametrize(("shape", "seed"), [(EpisodeShape(2, 1, None), 0), (EpisodeShape(None, 1, None), 1)])
def test_other_episodes_are_refused(shape, seed, world, tmp_path):
    with pytest.raises(ValueError, match="has only the published draws"):
        PublishedDraws(tmp_path).sample(world, np.arange(3), shape, seed, 0, 1)
