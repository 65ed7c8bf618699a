"""Groups of images kept apart: no group is on both sides of an episode, and draws stay what they are without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from fewshot.conformance.samplers import by_rank, labelled
from fewshot.datasets import Group
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import SAMPLERS
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.dirichlet_query import DirichletQuery
from fewshot.samplers.disjoint_pools import DisjointPools
from fewshot.samplers.hierarchical import Hierarchical
from fewshot.samplers.imbalanced import Imbalanced
from fewshot.samplers.variable_way_shot import VariableWayShot
from tests.support.sampler_worlds import sample

N_CLASSES = 6
FAMILY = {"family": Group.of("aaabbb")}
ALL_WAYS = EpisodeShape(None, None, None)
SHAPES = [EpisodeShape(3, 1, 5), EpisodeShape(3, None, 5), EpisodeShape(3, 2, None), ALL_WAYS, EpisodeShape(None, 1, 3)]


def worlds(seed):
    """Random images whose groups are of one class each, of some classes, and of all classes, in unequal sizes."""
    generator = np.random.default_rng(seed)
    images = labelled(generator.integers(40, 90, N_CLASSES), FAMILY, half=by_rank(("a", "b"), 1))
    own = generator.integers(0, 8, len(images)) ** 2 // 4
    groups = {
        "own": [f"{label} {code}" for label, code in zip(images.labels, own, strict=True)],
        "some": [f"{(label + code % 2) % N_CLASSES} {code}" for label, code in zip(images.labels, own, strict=True)],
        "all": [str(code) for code in generator.integers(0, 9, len(images))],
    }
    return replace(
        images, image_groups=images.image_groups | {name: Group.of(values) for name, values in groups.items()}
    )


def assert_apart(images, episodes, group):
    codes = images.image_groups[group].codes
    episodes.check(images)
    for e in range(len(episodes)):
        one = episodes[e : e + 1]
        assert not set(codes[one.support]) & set(codes[one.query])


@pytest.mark.parametrize("group", ["own", "some", "all"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_group_is_on_both_sides_and_counts_are_those_of_the_shape(group, shape, seed):
    images = worlds(seed)
    episodes = sample(Balanced(apart=group), shape, images, np.arange(N_CLASSES), seed=seed, count=60)
    assert_apart(images, episodes, group)
    if shape.k_shot is not None:
        assert set(episodes.support_count) == {shape.k_shot}
    if shape.n_query is not None:
        assert set(episodes.query_count) == {shape.n_query}
    if shape is ALL_WAYS:  # every image is on one side
        assert (np.diff(episodes.support_start) + np.diff(episodes.query_start) == len(images)).all()


@pytest.mark.parametrize(
    "sampler",
    [
        Balanced("half=a", "half=b", "own"),
        Balanced("half=a", "half=b", "all"),
        DisjointPools(apart="own"),
        DisjointPools(apart="all"),
        Imbalanced(apart="own"),
        Imbalanced(apart="all"),
        Imbalanced(1.0, None, "half=a", "half=b", "own"),
        DirichletQuery(apart="own"),
        DirichletQuery(apart="all"),
        DirichletQuery(support_from="half=a", query_from="half=b", apart="own"),
        Hierarchical("family", apart="own"),
        VariableWayShot(apart="own"),
        VariableWayShot(apart="all"),
    ],
    ids=str,
)
def test_every_sampler_keeps_groups_apart(sampler):
    codes = [f"{label} {rank}" for label, rank in enumerate_ranks(labelled([240] * N_CLASSES).labels, 40)]
    images = labelled([240] * N_CLASSES, FAMILY, half=by_rank(("a", "b"), 1))
    groups = {"own": Group.of(codes), "all": Group.of(code.split()[1] for code in codes)}
    images = replace(images, image_groups=images.image_groups | groups)
    shape = ALL_WAYS if isinstance(sampler, VariableWayShot) else EpisodeShape(3, 2, 4)
    episodes = sample(sampler, shape, images, np.arange(N_CLASSES), count=50)
    assert_apart(images, episodes, sampler.apart)
    if isinstance(sampler, DisjointPools):
        users = {}
        for e in range(50):
            one = episodes[e : e + 1]
            for code in images.image_groups[sampler.apart].codes[[*one.support, *one.query]]:
                users.setdefault(code, set()).add(e % 5)
        assert max(map(len, users.values())) == 1  # a group is in one pool


def enumerate_ranks(labels, number):
    """The label of each image, and its place within its class, modulo a number."""
    seen = {}
    for label in labels.tolist():
        seen[label] = seen.get(label, -1) + 1
        yield label, seen[label] % number


def test_shots_share_queries_and_nest_where_groups_span_classes_too():
    images = worlds(5)
    for group in ("own", "some", "all"):
        most, *fewer = (
            sample(Balanced(apart=group), EpisodeShape(3, k_shot, 5), images, np.arange(N_CLASSES), count=40)
            for k_shot in (4, 1, 2, None)
        )
        supports = np.split(most.support, np.cumsum(most.support_count)[:-1])
        for episodes in fewer:
            assert np.array_equal(episodes.query, most.query)
        for episodes in fewer[:2]:
            begun = np.split(episodes.support, np.cumsum(episodes.support_count)[:-1])
            assert all(np.array_equal(mine, whole[: len(mine)]) for mine, whole in zip(begun, supports, strict=True))


def test_images_of_groups_of_one_size_are_drawn_equally_often_on_both_sides():
    """Chi-square at level 1e-4: ten videos of six frames, one class of an episode after the other."""
    images = labelled([60] * 4)
    codes = [f"{label} {rank}" for label, rank in enumerate_ranks(images.labels, 10)]
    images = replace(images, image_groups={"video": Group.of(codes)})
    episodes = sample(Balanced(apart="video"), EpisodeShape(2, 2, 3), images, np.arange(4), count=6000)
    for side in (episodes.support, episodes.query):
        assert chisquare(np.bincount(side, minlength=240)).pvalue > 1e-4
    assert chisquare(np.bincount(episodes.classes, minlength=4)).pvalue > 1e-4


def test_two_groups_divide_into_one_for_each_side():
    images = labelled([20, 20])
    images = replace(images, image_groups={"clip": Group.of(f"{c} {r}" for c, r in enumerate_ranks(images.labels, 2))})
    episodes = sample(Balanced(apart="clip"), EpisodeShape(2, 5, 10), images, np.arange(2), count=400)
    assert_apart(images, episodes, "clip")
    first = images.image_groups["clip"].codes[episodes.query.reshape(400, 2, 10)[:, :, 0]]
    assert chisquare(np.unique(first, axis=0, return_counts=True)[1]).pvalue > 1e-4  # four ways, equally often


def test_the_names_of_files_give_groups_by_folder_and_by_stem():
    names = [
        f"{'ab'[c]}/{v}/walk_{w}_{f:04}.png" for c in range(2) for v in range(2) for w in range(2) for f in range(8)
    ]
    images = labelled([32, 32])
    order = np.argsort(images.labels, kind="stable")
    placed = [""] * 64
    for row, name in zip(order.tolist(), names, strict=True):
        placed[row] = name
    images = replace(images, image_names=placed)
    for apart, cut in (("folder", lambda name: name.rpartition("/")[0]), ("stem", lambda name: name[:-8])):
        episodes = sample(Balanced(apart=apart), EpisodeShape(2, 3, 4), images, np.arange(2), count=50)
        for e in range(50):
            one = episodes[e : e + 1]
            assert not {cut(placed[row]) for row in one.support} & {cut(placed[row]) for row in one.query}


def test_sides_from_partitions_without_a_common_group_are_drawn_as_ever():
    images = labelled([24] * 4, half=by_rank(("a", "b"), 1), video=by_rank([str(v) for v in range(12)], 1))
    shape = EpisodeShape(3, 2, 4)
    plain, apart = (Balanced("half=a", "half=b", name) for name in (None, "video"))
    assert sample(plain, shape, images, np.arange(4)).digest == sample(apart, shape, images, np.arange(4)).digest


def test_the_whole_of_a_partition_stays_the_query_and_its_groups_leave_the_support():
    images = labelled([24] * 4, half=by_rank(("a", "b"), 12), video=by_rank([str(v) for v in range(5)], 3))
    sampler = Balanced("half=a", "half=b", "video")
    episodes = sample(sampler, EpisodeShape(None, 1, None), images, np.arange(4), count=9)
    assert (np.diff(episodes.query_start) == images.mask("half=b").sum()).all()
    assert_apart(images, episodes, "video")


@pytest.mark.parametrize(
    ("apart", "shape", "message"),
    [
        ("video", EpisodeShape(2, 1, 3), r"class 0 \('class 0'\) of test has 12 images in 1 group and 1 more have too"),
        (
            "pair",
            EpisodeShape(2, 1, 7),
            r"k_shot = 1 and n_query = 7 images per class with apart='pair' need .* 2 groups",
        ),
        ("pair", EpisodeShape(2, 7, 3), r"lower k_shot or n_query, or leave such classes out"),
        (
            "video",
            EpisodeShape(2, 1, 3),
            r"12 images in 1 group and 1 more have too few; a class needs 2 groups or more",
        ),
        ("patient", EpisodeShape(2, 1, 3), r"test has no image group 'patient'; it has: video, pair"),
    ],
)
def test_too_few_groups_are_one_sentence_with_counts(apart, shape, message):
    images = labelled([12, 12], video=lambda labels: [str(label) for label in labels], pair=by_rank(("a", "b"), 1))
    with pytest.raises(ValueError, match=message):
        sample(Balanced(apart=apart), shape, images, np.arange(2))


def test_a_pool_with_too_few_groups_is_one_sentence_that_names_the_pool():
    images = labelled([80] * 3, clip=by_rank([str(clip) for clip in range(5)], 16))
    with pytest.raises(ValueError, match=r"in pool 0 of 5: k_shot = 1 .* has 16 images in 1 group and 2 more"):
        sample(DisjointPools(apart="clip"), EpisodeShape(2, 1, 3), images, np.arange(3))


def test_specs_without_apart_are_those_of_earlier_rows():
    for name in SAMPLERS.names():
        for example in SAMPLERS.get(name).examples()[:1]:  # samplers of published draws have none
            assert "apart" not in SAMPLERS.spec(example).text
    assert SAMPLERS.spec("Balanced(apart='video')").short_name == "balanced, each video on one side"
