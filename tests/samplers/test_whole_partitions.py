"""VTAB's 1000 images: all images of some partitions learn, all of others are queries."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.conformance.samplers import by_rank, labelled
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.whole_partitions import WholePartitions

PARTS = ("train", "train", "val", "test")
WORLD = labelled([12, 9, 16], partition=by_rank(PARTS, 1))
SAMPLER = WholePartitions(("partition=train",), ("partition=val",))
OPEN = EpisodeShape(None, None, None)
CLASSES = np.arange(3)


def rows_of(*names: str) -> list[int]:
    return np.flatnonzero(np.any([WORLD.mask(f"partition={name}") for name in names], axis=0)).tolist()


def test_the_support_is_train_and_val_and_the_queries_are_test():
    episodes = SAMPLER.sample(WORLD, CLASSES, OPEN, 0, 0, 2)
    for one in (episodes[0], episodes[1]):
        assert sorted(one.support) == rows_of("train", "val")
        assert sorted(one.query) == rows_of("test")
    episodes.check(WORLD)


def test_hyperparameters_are_chosen_on_val_with_train_alone():
    episode = SAMPLER.for_choice().sample(WORLD, CLASSES, OPEN, 0, 0, 1)
    assert sorted(episode.support) == rows_of("train")
    assert sorted(episode.query) == rows_of("val")
    with pytest.raises(ValueError, match="has no validation images"):
        SAMPLER.for_choice().for_choice()


def test_a_class_without_training_images_is_left_out_and_counted(caplog):
    both = labelled([8, 8, 2], partition=_last_class_in_test)
    sampler = WholePartitions(("partition=train",))
    with caplog.at_level("WARNING", logger="fewshot"):
        episode = sampler.sample(both, CLASSES, OPEN, 0, 0, 1)
    assert episode.classes.tolist() == [0, 1]
    assert "1 of 3 classes have no training image, so their 2 of 10 test images are left out" in caplog.text


def _last_class_in_test(labels: np.ndarray) -> list[str]:
    names = by_rank(("train", "test"), 1)(labels)
    return ["test" if label == 2 else name for label, name in zip(labels.tolist(), names, strict=True)]


@pytest.mark.parametrize(("shape", "seed"), [(EpisodeShape(None, 1, None), 0), (OPEN, 1)])
def test_other_episodes_are_refused(shape, seed):
    with pytest.raises(ValueError, match="takes all images of all classes"):
        SAMPLER.sample(WORLD, CLASSES, shape, seed, 0, 1)


def test_partitions_on_both_sides_are_refused():
    with pytest.raises(ValueError, match="are in the support and in the queries"):
        WholePartitions(("partition=test",)).sample(WORLD, CLASSES, OPEN, 0, 0, 1)
