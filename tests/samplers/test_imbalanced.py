"""What Imbalanced promises beside the laws of every sampler."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.conformance.samplers import labelled
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.dirichlet_query import dirichlet
from fewshot.samplers.imbalanced import Imbalanced, seats
from tests.support.sampler_worlds import sample

IMAGES = labelled([80] * 6)
SHAPE = EpisodeShape(5, 5, 3)


def counts(sampler, shape=SHAPE, count=500, images=IMAGES):
    """[E, N] support images of each class."""
    episodes = sample(sampler, shape, images, np.arange(len(images.class_names)), count=count)
    episodes.check(images)
    assert (episodes.query_count == shape.n_query).all()
    return episodes.support_count.reshape(count, -1)


def one_by_one(shares, total, most):
    """Sainte-Lague's rule in words: a seat each, then every other seat to the largest share / (seats + 1/2)."""
    held = np.ones(len(shares), dtype=int)
    while held.sum() < total:
        claim = np.where(held < most, shares / (held + 0.5), -1.0)
        held[claim.argmax()] += 1
    return held


@pytest.mark.parametrize(("n_way", "total", "top"), [(5, 25, 40), (5, 25, 8), (20, 21, 9), (2, 60, 40), (3, 3, 5)])
def test_seats_are_those_given_one_by_one(n_way, total, top):
    shares = dirichlet(0, np.arange(200), n_way, 0.5)
    most = np.random.default_rng(0).integers(max(1, top // 2), top + 1, size=shares.shape)
    totals = np.minimum(total, most.sum(1))
    expected = [one_by_one(*case) for case in zip(shares, totals, most, strict=True)]
    assert np.array_equal(seats(shares, totals, most), expected)


def test_no_class_loses_an_image_when_the_total_grows():
    shares, most = dirichlet(1, np.arange(300), 5, 0.3), np.full((300, 5), 30)
    found = [seats(shares, np.full(300, total), most) for total in range(5, 60)]
    assert (np.diff(found, axis=0) >= 0).all()
    assert (np.diff(np.sum(found, axis=2), axis=0) == 1).all()


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_the_total_is_fixed_every_class_has_one_and_a_small_alpha_is_a_large_imbalance(alpha):
    found = counts(Imbalanced(alpha))
    assert (found.sum(1) == 25).all()
    assert found.min() == 1
    even = counts(Imbalanced(1000.0))
    assert found.max(1).mean() > even.max(1).mean() + 3


def test_shares_that_sum_to_the_total_are_the_sizes():
    assert counts(Imbalanced(shares=(1, 1, 3, 8, 12)), count=20).tolist() == [[1, 1, 3, 8, 12]] * 20
    assert counts(Imbalanced(shares=(2, 18)), EpisodeShape(4, 10, 3), 5).tolist() == [[2, 18, 2, 18]] * 5


def test_classes_and_queries_are_those_of_balanced():
    shape = EpisodeShape(5, 5, 3)
    ours, theirs = (sample(s, shape, IMAGES, np.arange(6), count=50) for s in (Imbalanced(), Balanced()))
    assert np.array_equal(ours.classes, theirs.classes)
    assert np.array_equal(ours.query, theirs.query)


def test_classes_that_run_short_give_their_images_to_the_others():
    images = labelled([9, 40, 40])
    found = counts(Imbalanced(shares=(1,)), EpisodeShape(3, 20, 3), 1, images)
    assert sorted(found[0]) == [6, 27, 27]
    at_most = counts(Imbalanced(), EpisodeShape(3, 100, 3, True), 1, images)
    assert sorted(at_most[0]) == [6, 37, 37]


def test_a_support_that_is_large_is_sorted_in_parts(monkeypatch):
    shares, most = dirichlet(2, np.arange(40), 5, 0.5), np.full((40, 5), 300)
    whole = seats(shares, np.full(40, 900), most)
    monkeypatch.setattr("fewshot.samplers.imbalanced._CELLS", 5 * 300 * 7)
    assert np.array_equal(whole, seats(shares, np.full(40, 900), most))


@pytest.mark.parametrize(
    ("sampler", "shape", "message"),
    [
        (lambda: Imbalanced(alpha=0.0), EpisodeShape(), "'alpha' parameter of Imbalanced must be a number in"),
        (
            lambda: Imbalanced(shares=()),
            EpisodeShape(),
            "'shares' parameter of Imbalanced must be None or a tuple of numbers",
        ),
        (lambda: Imbalanced(shares=(1, 0)), EpisodeShape(), r"such as \(1, 2, 4\). Got \(1, 0\) instead"),
        (lambda: Imbalanced(), EpisodeShape(5, None, 3), "n_query queries per class; give both"),
        (lambda: Imbalanced(), EpisodeShape(5, 5, None), "give both"),
        (
            lambda: Imbalanced(),
            EpisodeShape(5, 78, 3),
            r"k_shot \* n_way = 390 support images an episode, but .* have 385",
        ),
        (
            lambda: Imbalanced(),
            EpisodeShape(5, 1, 80),
            "n_query = 80 images a class and one for the support, but class 0",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(sampler, shape, message):
    with pytest.raises(ValueError, match=message):
        counts(sampler(), shape)
