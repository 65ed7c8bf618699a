"""What Hierarchical promises beside the laws of every sampler."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from fewshot.conformance.samplers import labelled
from fewshot.datasets import Group
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.hierarchical import Hierarchical
from tests.support.sampler_worlds import rows, sample

KIND = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3])
IMAGES = labelled([12] * 10, {"kind": Group(KIND, tuple("abcd"))})
FINE, COARSE = Hierarchical("kind"), Hierarchical("kind", within=False)


def kinds(sampler, n_way, count=2000):
    """The kind of every class, episode by episode."""
    episodes = sample(sampler, EpisodeShape(n_way, 1, 2), IMAGES, np.arange(10), count=count)
    episodes.check(IMAGES)
    return np.split(KIND[episodes.classes], episodes.way_start[1:-1])


def test_a_fine_task_is_of_one_group_of_enough_classes_each_as_often():
    found = kinds(FINE, 3)
    assert all(len(set(codes)) == 1 for codes in found)
    counts = np.bincount([codes[0] for codes in found])
    assert len(counts) == 2  # kinds 2 and 3 have fewer than 3 classes
    assert chisquare(counts).pvalue > 1e-4


def test_every_class_of_a_group_comes_as_often():
    episodes = sample(FINE, EpisodeShape(3, 1, 2), IMAGES, np.arange(10), count=4000)
    assert chisquare(np.bincount(episodes.classes)[:4]).pvalue > 1e-4
    coarse = sample(COARSE, EpisodeShape(2, 1, 2), IMAGES, np.arange(10), count=4000)
    assert chisquare(np.bincount(coarse.classes)[4:7]).pvalue > 1e-4


def test_a_coarse_task_has_no_two_classes_of_a_group_and_groups_come_as_often():
    found = kinds(COARSE, 2)
    assert all(len(set(codes)) == 2 for codes in found)
    assert chisquare(np.bincount(np.concatenate(found))).pvalue > 1e-4


def test_all_ways_are_a_whole_group_or_one_class_of_every_group():
    assert {tuple(codes) for codes in kinds(FINE, None, 200)} == {(0,) * 4, (1,) * 3, (2,) * 2}
    assert {tuple(sorted(codes)) for codes in kinds(COARSE, None, 20)} == {(0, 1, 2, 3)}


def test_the_rows_of_episodes_with_different_ways_stand_in_the_order_of_their_index():
    episodes = sample(FINE, EpisodeShape(None, 2, 3), IMAGES, np.arange(10), count=30)
    assert np.array_equal(episodes.index, np.arange(30))
    for e in (0, 7, 29):
        alone = sample(FINE, EpisodeShape(None, 2, 3), IMAGES, np.arange(10), start=e, count=1)
        assert np.array_equal(rows(episodes, e, "support"), alone.support)


@pytest.mark.parametrize(
    ("sampler", "n_way", "classes", "message"),
    [
        (FINE, 5, range(10), "5 classes of one kind are needed, but the largest kind has 4 of the classes"),
        (FINE, 2, (0, 4, 7), "2 classes of one kind are needed, but the largest kind has 1"),
        (
            COARSE,
            5,
            range(10),
            "5 classes, each of another kind, are needed, but the 10 classes to sample .* are of 4; lower n_way",
        ),
        (
            COARSE,
            None,
            range(4),
            "2 classes, each of another kind, are needed, but the 4 classes to sample from .* are of 1; lower",
        ),
        (Hierarchical("genus"), 2, range(10), "test has no class group 'genus'; it has: kind"),
        (FINE, 3, (0, 1), "3-way episodes need more classes than the 2"),
    ],
)
def test_what_cannot_be_is_one_sentence(sampler, n_way, classes, message):
    with pytest.raises(ValueError, match=message):
        sample(sampler, EpisodeShape(n_way, 1, 2), IMAGES, np.array(classes))
