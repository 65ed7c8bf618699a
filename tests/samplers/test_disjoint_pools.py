"""What DisjointPools promises beside the laws of every sampler."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.conformance.samplers import labelled
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.disjoint_pools import DisjointPools, divided
from fewshot.statistics.intervals import pool_interval
from tests.support.sampler_worlds import sample

IMAGES = labelled([60] * 5 + [63])
CLASSES = np.arange(6)
SHAPE = EpisodeShape(3, 2, 4)


def pooled(sampler=None, shape=SHAPE, images=IMAGES, classes=CLASSES, **asked):
    return sample(sampler or DisjointPools(), shape, images, classes, **asked)


@pytest.mark.parametrize("shape", [SHAPE, EpisodeShape(3, None, 4), EpisodeShape(None, 2, None)], ids=str)
def test_episodes_of_different_pools_share_no_image(shape):
    episodes = pooled(shape=shape, count=200)
    users = [set() for _ in IMAGES.labels]
    for e in range(200):
        one = episodes[e : e + 1]
        for row in [*one.support, *one.query]:
            users[row].add(e % 5)
    assert max(map(len, users)) == 1
    assert min(map(len, users)) == 1  # every image is in one of them


def test_pools_are_the_same_whatever_the_classes_and_the_shape():
    other = pooled(classes=np.array([1, 4]), shape=EpisodeShape(2, 5, 7), count=1)
    first = pooled(count=400).take(np.arange(0, 400, 5))
    assert set(other.support) <= set(first.support) | set(first.query)


def test_pools_of_a_class_have_equal_sizes_give_or_take_one_and_another_seed_divides_otherwise():
    pools = divided(IMAGES.pool(), CLASSES, 3, 5)
    assert [pool.sizes(CLASSES).tolist() for pool in pools] == [[12] * 5 + [13]] * 3 + [[12] * 6] * 2
    assert np.array_equal(np.sort(np.concatenate([pool.rows for pool in pools])), np.arange(len(IMAGES)))
    assert all((IMAGES.labels[rows] == c).all() for pool in pools for c, rows in enumerate(pool.by_class()))
    other = divided(IMAGES.pool(), CLASSES, 4, 5)
    assert not np.array_equal(pools[0].rows, other[0].rows)


def test_images_of_a_class_fall_into_pools_at_random():
    """Pairs of images share a pool as often as chance says: chi-square at level 1e-4, over 2000 seeds."""
    from scipy.stats import chisquare

    images = labelled([10])
    together = np.zeros((10, 10))
    for seed in range(2000):
        for pool in divided(images.pool(), np.array([0]), seed, 5):
            together[np.ix_(pool.rows, pool.rows)] += 1
    assert chisquare(together[np.triu_indices(10, 1)]).pvalue > 1e-4


def test_classes_are_those_of_balanced():
    assert np.array_equal(pooled().classes, sample(Balanced(), SHAPE, IMAGES, CLASSES).classes)


@pytest.mark.parametrize(
    ("sampler", "shape", "message"),
    [
        (
            lambda: DisjointPools(4),
            SHAPE,
            "'pools' parameter of DisjointPools must be an integer of at least 5, .* Got 4 inst",
        ),
        (
            lambda: DisjointPools(),
            EpisodeShape(3, 5, 15),
            "5 disjoint pools with 5 support and 15 query images of every class need 100 images per class, but class 0 "
            r"\('class 0'\) of test has 60; lower n_query",
        ),
        (
            lambda: DisjointPools(31),
            EpisodeShape(3, None, 1),
            "1 support and 1 query images .* need 62 images per class, but cl",
        ),
        (
            lambda: DisjointPools(),
            EpisodeShape(3, None, None),
            "support and queries cannot both be all of the same",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(sampler, shape, message):
    with pytest.raises(ValueError, match=message):
        pooled(sampler(), shape)


def invoke(*words):
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 0, done.output
    return done.output


def test_a_run_has_the_interval_for_new_images_and_says_it_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "home"))
    results = tmp_path / "rows.jsonl"
    asked = ("run", "--data", "Icons", "--backbone", "pixels", "--evaluator", "Prototype", "--results", str(results))
    said = invoke(*asked, "--sampler", "DisjointPools", "--episodes", "25", "--measures")
    assert "new images: 95 % interval for new images" in said
    (row,) = Results(results).rows()
    values = np.concatenate([episode_accuracy(part) for part in Results(results).parts(row.run_id).read(25)])
    expected = pool_interval(values, np.arange(25) % 5)
    assert (row.new_images_low, row.new_images_high) == (expected.low, expected.high)
    assert f"[{100 * expected.low:.1f}, {100 * expected.high:.1f}]" in said
    few = invoke(*asked, "--sampler", "DisjointPools(pools=6)", "--episodes", "3", "--measures")
    assert "No interval for new images: there are 3 pools of images, 5 are needed" in few
    shared = invoke(*asked, "--episodes", "3", "--measures")
    assert "new images" not in shared.partition("95 %")[0]
    assert "No interval for new images: episodes share images." in shared


def test_rows_without_the_columns_are_still_read():
    row = Row.from_json('{"run_id": "a", "accuracy": 0.5}')
    assert row.new_images_low is None
    assert row.new_images_high is None
