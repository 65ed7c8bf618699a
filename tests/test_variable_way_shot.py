"""VariableWayShot draws as Meta-Dataset's code does, beside the laws of every sampler."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from fewshot.datasets import Group
from fewshot.episodes import EpisodeShape
from fewshot.laws.samplers import more_episodes_keep_the_first_ones, shards_make_their_own_episodes
from fewshot.samplers.variable_way_shot import VariableWayShot
from tests.test_samplers import labelled, sample

OPEN = EpisodeShape(None, None, None)
SIZES = 13 + np.arange(60) * 37 % 230
SCRIPTS = np.arange(60) % 7 % 4  # 18, 18, 16 and 8 classes
IMAGES = labelled(SIZES, {"script": Group(SCRIPTS, tuple("abcd"))})
CLASSES = np.arange(60)


def drawn(sampler=None, shape=OPEN, images=IMAGES, classes=CLASSES, count=300, **asked):
    return sample(sampler or VariableWayShot(), shape, images, classes, count=count, **asked)


def published_episode(random, sizes, scripts):
    """The formulas of Meta-Dataset's code for one episode: sizes of its classes, their support, queries a class."""
    members = np.flatnonzero(scripts == random.choice(np.unique(scripts)))
    ways = random.integers(5, min(50, len(members)) + 1)
    n = sizes[random.choice(members, size=ways, replace=False)]
    query = min(10, (n // 2).min())
    remaining = n - query
    beta = random.uniform()
    size = min(500, np.floor(beta * np.minimum(100, remaining) + 1).sum())
    weights = n * np.exp(random.uniform(np.log(0.5), np.log(2), size=ways))
    wanted = np.floor(weights / weights.sum() * (size - ways)).astype(int) + 1
    return np.minimum(wanted, remaining), query


def summary(supports, queries):
    """[E, 5] ways, support images, the largest support, the ratio of largest to smallest, queries a class."""
    return np.array([[len(k), k.sum(), k.max(), k.max() / k.min(), q] for k, q in zip(supports, queries, strict=True)])


@pytest.mark.parametrize(("group", "count"), [(None, 10_000), ("script", 3000)])
def test_ways_shots_and_imbalance_are_distributed_as_in_a_direct_simulation_of_the_formulas(group, count):
    """So many draws of each: Kolmogorov-Smirnov, and chi-square for ways and queries, at level 1e-3, fixed seeds."""
    ours = drawn(VariableWayShot(group), count=count, seed=1)
    supports = np.split(ours.support_count, ours.way_start[1:-1])
    found = summary(supports, ours.query_count[ours.way_start[:-1]])
    random = np.random.default_rng(2)
    scripts = np.zeros(60) if group is None else SCRIPTS
    direct = summary(*zip(*(published_episode(random, SIZES, scripts) for _ in range(count)), strict=True))
    for column in range(5):
        assert ks_2samp(found[:, column], direct[:, column]).pvalue > 1e-3
    for column in (0, 4):
        values = np.unique(direct[:, column])
        table = [(part[:, column, None] == values).sum(0) for part in (found, direct)]
        assert np.sum(table) == 2 * count
        assert chi2_contingency(table).pvalue > 1e-3
    assert (
        abs(np.corrcoef(found[:, :4].T) - np.corrcoef(direct[:, :4].T)).max() < 4 / (count / 2) ** 0.5
    )  # 4 standard errors


def test_the_limits_hold_and_episodes_are_well_formed():
    episodes = drawn(count=400)
    episodes.check(IMAGES)
    assert (episodes.n_way.min(), episodes.n_way.max()) == (5, 50)
    assert 480 < np.diff(episodes.support_start).max() <= 500  # shares are rounded down
    assert episodes.query_count.max() == 10
    assert (episodes.support_count + episodes.query_count <= SIZES[episodes.classes]).all()


def test_every_class_comes_as_often():
    """Chi-square at level 1e-4; classes of an episode differ, which makes the counts more even, never less."""
    from scipy.stats import chisquare

    assert chisquare(np.bincount(drawn(count=2000).classes, minlength=60)).pvalue > 1e-4


@pytest.mark.parametrize("law", [more_episodes_keep_the_first_ones, shards_make_their_own_episodes])
@pytest.mark.parametrize("sampler", VariableWayShot.examples(), ids=repr)
def test_the_laws_of_prefix_and_shards_hold_for_open_shapes(law, sampler, monkeypatch):
    from fewshot.laws import samplers

    monkeypatch.setattr(samplers, "SHAPES", (OPEN, EpisodeShape(None, None, 3), EpisodeShape(5, None, None)))
    assert law(sampler, samplers.SamplerWorld()) is None


def test_the_classes_of_an_episode_are_of_one_group_and_each_group_comes_as_often():
    from scipy.stats import chisquare

    episodes = drawn(VariableWayShot("script"), count=2000)
    ways = np.split(SCRIPTS[episodes.classes], episodes.way_start[1:-1])
    assert all(len(set(codes)) == 1 for codes in ways)
    assert chisquare(np.bincount([codes[0] for codes in ways])).pvalue > 1e-4


def test_what_the_shape_gives_is_fixed():
    episodes = drawn(shape=EpisodeShape(7, 3, 2), count=20)
    assert (set(episodes.n_way), set(episodes.support_count), set(episodes.query_count)) == ({7}, {3}, {2})
    assert set(drawn(shape=EpisodeShape(7, 30, None, True), count=50).support_count) > {30}


@pytest.mark.parametrize(
    ("sampler", "shape", "classes", "message"),
    [
        (VariableWayShot(), OPEN, CLASSES[:4], "5 to 50-way episodes were asked for, but there are 4 classes"),
        (VariableWayShot("script"), OPEN, CLASSES[:8], "5-way episodes inside one script .* no script has 5 of the 8"),
        (VariableWayShot("alphabet"), OPEN, CLASSES, "test has no class group 'alphabet'; it has: script"),
        (VariableWayShot(), EpisodeShape(5, 8, None), CLASSES, "k_shot = 8 images and 6 queries a class, but class 0 "),
        (VariableWayShot(), EpisodeShape(5, None, 13), CLASSES, r"k_shot \+ n_query = 1 \+ 13 images a class, but cl"),
    ],
)
def test_what_cannot_be_is_one_sentence(sampler, shape, classes, message):
    with pytest.raises(ValueError, match=message):
        drawn(sampler, shape, classes=classes)
