"""What DirichletQuery promises beside the laws of every sampler."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from fewshot.conformance.samplers import labelled
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.dirichlet_query import DirichletQuery, apportion, dirichlet
from tests.support.sampler_worlds import WORLD, rows, sample

MANY = labelled([150] * 6)
INDEX = np.arange(10_000)
NO_LIMIT = np.full((1, 5), 1000)


@pytest.mark.parametrize("alpha", [0.5, 2.0, 7.0])
def test_the_shares_are_distributed_as_those_of_numpy(alpha):
    """One share, the largest share and a product of two: Kolmogorov-Smirnov at level 1e-4, fixed seeds."""
    ours, theirs = dirichlet(3, INDEX, 5, alpha), np.random.default_rng(5).dirichlet([alpha] * 5, 10_000)
    assert np.allclose(ours.sum(1), 1)
    for measure in (lambda p: p[:, 3], lambda p: p.max(1), lambda p: p[:, 0] * p[:, 4]):
        assert kstest(measure(ours), measure(theirs)).pvalue > 1e-4


def test_with_alpha_1_the_shares_are_those_of_exponential_variates():
    from fewshot.episodes import draws

    uniform = (draws.words(3, INDEX, 5, 1, 3)[:, :, 0] + 0.5) / 2**32
    exponential = -np.log1p(-uniform)
    assert np.allclose(dirichlet(3, INDEX, 5, 1.0), exponential / exponential.sum(1, keepdims=True), rtol=1e-9)


def test_the_shares_of_an_episode_are_a_function_of_seed_and_index():
    assert np.array_equal(dirichlet(3, INDEX[40:60], 5, 2.0), dirichlet(3, INDEX, 5, 2.0)[40:60])
    assert not np.array_equal(dirichlet(4, INDEX, 5, 2.0), dirichlet(3, INDEX, 5, 2.0))


def published_rounding(share, total):
    """The procedure of the published code, in words: round; while the sum is wrong, take the entry whose fraction is
    nearest to a half and floor it (sum too high) or ceil it (too low)."""
    wanted = share * total
    correct = np.floor if np.round(wanted).sum() > total else np.ceil
    while np.round(wanted).sum() != total:
        nearest = min(range(len(wanted)), key=lambda j: abs(math.modf(wanted[j])[0] - 0.5))
        wanted[nearest] = correct(wanted[nearest])
    return np.round(wanted).astype(np.int64)


@pytest.mark.parametrize(("n_way", "total"), [(5, 75), (5, 7), (20, 300), (2, 3)])
def test_rounding_is_that_of_the_published_code(n_way, total):
    shares = dirichlet(0, INDEX[:500], n_way, 2.0)
    counts = apportion(shares, total, np.full((500, n_way), total))
    assert np.array_equal(counts, [published_rounding(share.copy(), total) for share in shares])


def test_what_a_class_cannot_give_is_given_in_proportion_by_the_others():
    shares, most = np.array([[0.7, 0.2, 0.1]] * 3), np.array([[10, 100, 100], [10, 12, 100], [10, 12, 8]])
    assert apportion(shares, 30, most).tolist() == [[10, 13, 7], [10, 12, 8], [10, 12, 8]]


def test_limits_hold_and_sums_are_exact_whatever_the_shares():
    random = np.random.default_rng(2)
    shares = np.concatenate([dirichlet(0, INDEX[:2000], 5, 0.1), np.eye(5) + 1e-90, np.full((1, 5), 0.2)])
    most = random.integers(8, 30, size=shares.shape)
    counts = apportion(shares, 40, most)
    assert (counts.sum(1) == 40).all()
    assert ((counts >= 0) & (counts <= most)).all()


def test_every_episode_has_n_query_times_n_way_queries_in_varying_shares():
    episodes = sample(DirichletQuery(), EpisodeShape(5, 1, 15), MANY, np.arange(6), count=2000)
    counts = episodes.query_count.reshape(2000, 5)
    assert (counts.sum(1) == 75).all()
    assert (episodes.support_count == 1).all()
    # Dirichlet(2, ..., 2) over 5 classes: mean 1/5, variance (1/5)(4/5)/11 of a share
    assert np.allclose(counts.mean(0), 15, atol=0.6)
    assert np.allclose(counts.std(0), 75 * (0.16 / 11) ** 0.5, rtol=0.06)
    assert (counts == 0).any()


def test_classes_are_those_of_balanced_and_so_are_the_first_queries():
    shape = EpisodeShape(5, 1, 6)
    ours, theirs = (sample(sampler, shape, MANY, np.arange(6), count=50) for sampler in (DirichletQuery(), Balanced()))
    assert np.array_equal(ours.classes, theirs.classes)
    ends = np.cumsum(ours.query_count)
    for way, (end, count) in enumerate(zip(ends, ours.query_count, strict=True)):
        both = min(count, 6)
        assert np.array_equal(ours.query[end - count : end - count + both], theirs.query[6 * way : 6 * way + both])


def test_from_two_groups_the_support_is_that_of_balanced():
    groups = {"support_from": "domain=mono", "query_from": "domain=colour"}
    for shape in (EpisodeShape(5, 3, 2), EpisodeShape(5, None, 2)):
        assert np.array_equal(
            sample(DirichletQuery(**groups), shape).support, sample(Balanced(**groups), shape).support
        )
    episodes = sample(DirichletQuery(**groups), shape)
    assert WORLD.mask("domain=colour")[episodes.query].all()


@pytest.mark.parametrize("n_query", [4, 25])
def test_up_to_the_reserve_all_shots_share_their_queries_though_classes_run_short(n_query):
    images = labelled([40, 30, 60, 60, 60])
    several = [
        sample(DirichletQuery(support_reserve=10), EpisodeShape(5, k, n_query), images, np.arange(5), count=100)
        for k in (1, 5, 10)
    ]
    for episodes in several:
        assert np.array_equal(episodes.query, several[0].query)
        assert (episodes.support_count == episodes.support_count[0]).all()
        episodes.check(images)
    assert (several[0].query_count <= np.array([40, 30, 60, 60, 60])[several[0].classes] - 10).all()


def test_all_support_is_what_the_queries_leave():
    episodes = sample(DirichletQuery(support_reserve=5), EpisodeShape(3, None, 4))
    for e in range(len(episodes)):
        classes = episodes.classes[episodes.way_start[e] : episodes.way_start[e + 1]]
        used = np.concatenate([rows(episodes, e, "support"), rows(episodes, e, "query")])
        assert np.array_equal(np.sort(used), np.flatnonzero(np.isin(WORLD.labels, classes)))


@pytest.mark.parametrize(
    ("sampler", "shape", "message"),
    [
        (
            lambda: DirichletQuery(alpha=0.0),
            EpisodeShape(),
            r"'alpha' parameter of DirichletQuery must be a number in",
        ),
        (
            lambda: DirichletQuery(support_reserve=0),
            EpisodeShape(),
            "'support_reserve' parameter of Dirichlet",
        ),
        (lambda: DirichletQuery(), EpisodeShape(5, 1, None), "give n_query, it cannot be all"),
        (
            lambda: DirichletQuery(support_reserve=4),
            EpisodeShape(5, 5, 1),
            "k_shot = 5, but DirichletQuery keeps 4 images a cl",
        ),
        (
            lambda: DirichletQuery(),
            EpisodeShape(5, 1, 16),
            "80 queries an episode, but the 5 smallest classes of test have 75 images that support_reserve=20 leaves; "
            "lower n_query or support_reserve",
        ),
        (lambda: DirichletQuery(support_reserve=40), EpisodeShape(5, 36, 1), "k_shot = 36 images a class, but class 1"),
        (lambda: DirichletQuery(query_from="domain=mono"), EpisodeShape(), "must be the same or disjoint"),
    ],
)
def test_what_cannot_be_is_one_sentence(sampler, shape, message):
    with pytest.raises(ValueError, match=message):
        sample(sampler(), shape)


def test_as_many_images_as_are_needed_are_enough():
    sample(DirichletQuery(), EpisodeShape(5, 1, 15)).check(WORLD)
