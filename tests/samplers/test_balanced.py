"""What `Balanced` promises beyond the laws of samplers; the draws of all samplers are pinned."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from fewshot.conformance.samplers import SHAPES, SamplerWorld, by_rank, labelled, same
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import SAMPLERS
from fewshot.samplers.balanced import Balanced
from tests.support.sampler_worlds import CLASSES, WORLD, rows, sample

EXAMPLES = [example for name in SAMPLERS.names() for example in SAMPLERS.get(name).examples()]
LAWS_WORLD = SamplerWorld()


GOLDEN_SHAPES = (*SHAPES, EpisodeShape(3, 6, 2))
GOLDEN = {
    "Balanced(support_from=None, query_from=None)": [
        "23c6e94220120a77",
        "c69eb69c609eda05",
        "a8f3680b53fd94ca",
        "fa74176d2f789bb1",
        "b2a6f1fb6f90855b",
    ],
    "Balanced(support_from='domain=mono', query_from='domain=mono')": [
        "803e1969b2467710",
        "c05b94570f9ed217",
        "41cb81d9ddeb1440",
        "fec5615bca51b7e3",
        "15fda1875eca1bdd",
    ],
    "Balanced(support_from='domain=mono', query_from='domain=colour')": [
        "a4177c896fa99e85",
        "266498cce47127b5",
        "092d4509a4c48ea6",
        "4e8606d67daaea3b",
        "01689cd70aa97102",
    ],
    "DirichletQuery(alpha=2.0, support_reserve=20, support_from=None, query_from=None)": [
        "a97035d6950dba90",
        "cc3a10710f295180",
        "0ac24256e3c6e3cc",
        "e854a97d5df17fba",
        "dcd1b63469ceeb0b",
    ],
    "DirichletQuery(alpha=0.5, support_reserve=8, support_from=None, query_from=None)": [
        "f6d67f1bd80f5618",
        "b1b062bfac8218d1",
        "72d41386349f7d33",
        "c6d86bf8667f76e0",
        "b28455094b9c529a",
    ],
    "DirichletQuery(alpha=2.0, support_reserve=20, support_from='domain=mono', query_from='domain=colour')": [
        "5abf3936a860fe14",
        "fd074c48060dc2f2",
        "6c0b1eb91ba94699",
        "87a99bfcf06bd2c2",
        "331d6d9c773d0b02",
    ],
}


GOLDEN_IN_THE_WORLD_OF_THE_LAWS = {
    "DisjointPools(pools=5, support_from=None, query_from=None)": [
        "9f10f5d8827b05f1",
        "a419420969247028",
        "7feb65b2b7433aba",
        "857ef7b0d3bc1359",
    ],
    "DisjointPools(pools=5, support_from='domain=mono', query_from='domain=colour')": [
        "8fc82b11fba8e38d",
        "3dbab0d070e7dcbb",
        "fc0f5b3a7e7ec4ae",
        "81020da8270bfd8e",
    ],
    "Hierarchical(group='family', within=True, support_from=None, query_from=None)": [
        "27698c6d62bd68c0",
        "a30171160e2ccccd",
        "678af2a8c6630ca5",
        "bd03c2ef3b45d788",
    ],
    "Hierarchical(group='kind', within=False, support_from=None, query_from=None)": [
        "9621ff1e87e5694d",
        "cf0234b795873075",
        "6a58967332005b27",
        "9e7a983416dc3fd1",
    ],
    "Hierarchical(group='kind', within=False, support_from='domain=mono', query_from='domain=colour')": [
        "9b9dc4fdd98b3791",
        "a801759b7b9d874d",
        "12d69ec8f1dea716",
        "087129a2b60fa28f",
    ],
    "VariableWayShot(group=None)": [
        "202e85adbc201cbc",
        "d66019a298247276",
        "ca79c25b554cf3f0",
        "b9dd3758871be28c",
    ],
    "VariableWayShot(group='family')": [
        "27698c6d62bd68c0",
        "6b5bcc7b53cab5af",
        "678af2a8c6630ca5",
        "bd03c2ef3b45d788",
    ],
    "Imbalanced(alpha=2.0, shares=None, support_from=None, query_from=None)": [
        "51639d915fa5e8db",
        "5cccf0c4d18d568f",
        "ca79c25b554cf3f0",
        "5ea7a762076ff91a",
    ],
    "Imbalanced(alpha=0.5, shares=None, support_from=None, query_from=None)": [
        "cc1aae58252c3e37",
        "007a1a424b30a2cc",
        "ca79c25b554cf3f0",
        "c2c527830139c82f",
    ],
    "Imbalanced(alpha=2.0, shares=(1, 2, 4), support_from=None, query_from=None)": [
        "695ef66414eef06f",
        "bb36810be7212b1d",
        "ca79c25b554cf3f0",
        "85dbf0ca8aa026ce",
    ],
    "Imbalanced(alpha=2.0, shares=None, support_from='domain=mono', query_from='domain=colour')": [
        "23d8695be1159e5f",
        "df0576677147533d",
        "71f0adec35071b4e",
        "52f81d056a0b7c47",
    ],
    "Balanced(support_from=None, query_from=None, apart='video')": [
        "87751d181aa9817b",
        "14a3a2e7c7ee3404",
        "0f1904a76ca37548",
        "a7df5828172ea3b0",
    ],
    "Balanced(support_from=None, query_from=None, apart='scene')": [
        "33f425e9dcb3911e",
        "86e391bffce14758",
        "83b59e712e260ba2",
        "b917b36a42b1f773",
    ],
    "Balanced(support_from='domain=mono', query_from='domain=colour', apart='burst')": [
        "e66920fcb750d433",
        "dd7281f4132bd973",
        "21e3a7c4597dd646",
        "79c0ac20634d05f9",
    ],
    "DirichletQuery(alpha=2.0, support_reserve=20, support_from=None, query_from=None, apart='video')": [
        "d7b884fa3bbd99c5",
        "fba155dcedf99545",
        "c68d747ea7aceeef",
        "791501bf48aa8288",
    ],
    "DisjointPools(pools=5, support_from=None, query_from=None, apart='burst')": [
        "f3ff69d56b3887d5",
        "54ceb88549157da4",
        "1d9284a00cece0a6",
        "ae886cac312297a7",
    ],
    "Hierarchical(group='family', within=True, support_from=None, query_from=None, apart='video')": [
        "5f8e9df6505528b6",
        "35514567b0383a92",
        "65421638f98055c0",
        "e3cdcafc40bca807",
    ],
    "Imbalanced(alpha=2.0, shares=None, support_from=None, query_from=None, apart='video')": [
        "d4ce39628c2af818",
        "a349c780155828b7",
        "0f1904a76ca37548",
        "a7df5828172ea3b0",
    ],
    "VariableWayShot(group=None, apart='video')": [
        "87751d181aa9817b",
        "4e5aabe57f8a88ff",
        "0f1904a76ca37548",
        "a7df5828172ea3b0",
    ],
}

GOLDEN_OF_EXAMPLES_WITH_FILES = {
    ("SimilarityTestbed", 0): ["6b1e2343b80428e1", "f6eda0e25e4ae372", "7786ccdda0d80edc", "278d7625fc9befbb"],
    ("SimilarityTestbed", 1): ["7d917d5593d742e4", "f6eda0e25e4ae372", "3bc7dd97eade0afb", "1f2c199c9d2e735a"],
    ("SimilarityTestbed", 2): ["e49a29c0c592f336", "2b10870481e35995", "d1c759da8e02b4ac", "53646515bbd8a307"],
    ("VariableWayShot", 2): ["8b1c42ac1c4a806b", "0ba299c633318dc1", "46e9201c350cd50a", "55165ab140586d05"],
}


def golden_digests(sampler, shapes=GOLDEN_SHAPES, images=WORLD, classes=CLASSES):
    """The beginning of the digest of 50 fixed episodes of every shape."""
    return [sample(sampler, shape, images, classes, 12345678901, 5, 50).digest[:16] for shape in shapes]


def digests_in_the_world_of_the_laws(sampler):
    return golden_digests(sampler, SHAPES, LAWS_WORLD.images, LAWS_WORLD.classes)


def test_the_drawn_episodes_are_pinned():
    """They must never change: a change makes every published number another one."""
    assert {spec: golden_digests(SAMPLERS.make(spec)) for spec in GOLDEN} == GOLDEN
    pinned = GOLDEN_IN_THE_WORLD_OF_THE_LAWS
    assert {spec: digests_in_the_world_of_the_laws(SAMPLERS.make(spec)) for spec in pinned} == pinned
    for (name, example), digests in GOLDEN_OF_EXAMPLES_WITH_FILES.items():
        assert digests_in_the_world_of_the_laws(SAMPLERS.get(name).examples()[example]) == digests


def test_another_process_draws_the_same_episodes():
    code = f"from {__name__} import *; print([digests_in_the_world_of_the_laws(e) for e in EXAMPLES])"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str([digests_in_the_world_of_the_laws(example) for example in EXAMPLES])


def test_every_class_and_every_image_comes_as_often():
    """Chi-square at level 1e-4, fixed seed."""
    from scipy.stats import chisquare

    images = labelled([30] * 8)
    episodes = sample(Balanced(), EpisodeShape(3, 2, 4), images, np.arange(8), count=20_000)
    assert chisquare(np.bincount(episodes.classes)).pvalue > 1e-4
    for part in (episodes.support, episodes.query):
        assert chisquare(np.bincount(part, minlength=240)).pvalue > 1e-4


def test_all_classes_are_every_class_ascending():
    episodes = sample(shape=EpisodeShape(None, 1, 1), count=3)
    assert episodes.classes.reshape(3, -1).tolist() == [CLASSES.tolist()] * 3


def test_all_queries_are_what_the_support_leaves():
    episodes = sample(shape=EpisodeShape(3, 5, None))
    for e in range(len(episodes)):
        classes = episodes.classes[episodes.way_start[e] : episodes.way_start[e + 1]]
        used = np.concatenate([rows(episodes, e, "support"), rows(episodes, e, "query")])
        assert np.array_equal(np.sort(used), np.flatnonzero(np.isin(WORLD.labels, classes)))
    assert (episodes.support_count == 5).all()


def test_all_support_is_what_the_queries_leave_and_the_queries_are_those_of_any_k():
    whole, some = (sample(shape=EpisodeShape(3, k, 4)) for k in (None, 5))
    assert np.array_equal(whole.query, some.query)
    assert np.array_equal(whole.support_count + 4, np.bincount(WORLD.labels)[whole.classes])
    whole.check(WORLD)


def test_all_support_and_all_queries_need_two_pools():
    with pytest.raises(ValueError, match="support and queries cannot both be all of the same images"):
        sample(shape=EpisodeShape(3, None, None))
    sampler = Balanced("partition=train", "partition=test")
    episodes = sample(sampler, EpisodeShape(None, None, None), count=2)
    train = WORLD.mask("partition=train") & np.isin(WORLD.labels, CLASSES)
    assert np.array_equal(np.sort(rows(episodes, 1, "support")), np.flatnonzero(train))
    assert len(rows(episodes, 0, "query")) == np.isin(WORLD.labels, CLASSES).sum() - train.sum()


@pytest.mark.parametrize("shape", [EpisodeShape(5, 3, 4), EpisodeShape(5, None, 4), EpisodeShape(5, 3, None)], ids=str)
def test_support_and_query_come_from_their_groups(shape):
    episodes = sample(Balanced("domain=mono", "domain=colour"), shape)
    assert WORLD.mask("domain=mono")[episodes.support].all()
    assert WORLD.mask("domain=colour")[episodes.query].all()


def test_the_queries_from_a_group_do_not_depend_on_where_the_support_comes_from():
    one, other = (sample(Balanced(f"partition={p}", "partition=test")) for p in ("train", "test"))
    assert np.array_equal(one.query, other.query)


def test_overlapping_groups_are_refused():
    shared = (WORLD.mask("domain=mono") & WORLD.mask("partition=train")).sum()
    with pytest.raises(ValueError, match=f"share {shared} images; they must be the same or disjoint"):
        sample(Balanced("domain=mono", "partition=train"))
    with pytest.raises(ValueError, match="must be the same or disjoint"):
        sample(Balanced("domain=mono", None))


def test_an_unknown_group_is_told():
    message = r"cannot select 'style=flat' from test; its image groups are domain=..., partition"
    with pytest.raises(ValueError, match=message):
        sample(Balanced("style=flat", "style=flat"))
    with pytest.raises(ValueError, match="'sepia' is not one of 'colour', 'mono'"):
        sample(Balanced("domain=sepia", "domain=mono"))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            EpisodeShape(3, 5, 8),
            r"k_shot \+ n_query = 5 \+ 8 images a class, but class 2 \('class 2'\) of test has 12;",
        ),
        (EpisodeShape(3, 9, 12, True), r"k_shot \+ n_query = 1 \+ 12 images a class, but class 2"),
        (EpisodeShape(3, 12, None), "k_shot = 12 images a class and one for the rest, but class 2"),
        (EpisodeShape(3, None, 12), "n_query = 12 images a class and one for the rest, but class 2"),
        (
            EpisodeShape(5, 1, 1),
            "5-way episodes need more classes than the 4 to sample from in test; lower n_way",
        ),
    ],
)
def test_too_few_images_or_classes_are_one_sentence_whichever_classes_are_drawn(shape, message):
    images = labelled([20, 20, 12, 20])
    with pytest.raises(ValueError, match=message):
        sample(shape=shape, images=images, classes=np.arange(4), count=1)


def test_as_few_images_as_are_needed_are_enough():
    images = labelled([12, 12, 13])
    for shape in (EpisodeShape(2, 5, 7), EpisodeShape(3, 11, None), EpisodeShape(3, None, 11)):
        sample(shape=shape, images=images, classes=np.arange(3)).check(images)


@pytest.mark.parametrize("classes", [[], [3]])
@pytest.mark.parametrize("n_way", [None, 2])
def test_one_class_or_none_is_refused(classes, n_way):
    with pytest.raises(ValueError, match=f"need more classes than the {len(classes)} to sample from"):
        sample(shape=EpisodeShape(n_way, 1, 1), classes=np.array(classes, dtype=np.int64))


@pytest.mark.parametrize("classes", [[-1, 0, 1], [7, 8, 9]])
def test_classes_that_the_images_do_not_have_are_refused(classes):
    with pytest.raises(ValueError, match=r"classes of test must be in \[0, 9\), got"):
        sample(shape=EpisodeShape(2, 1, 1), classes=np.array(classes))


@pytest.mark.parametrize("sampler", [Balanced(), Balanced("domain=mono", "domain=colour")], ids=repr)
def test_at_most_k_shots_take_what_a_small_class_has(sampler):
    images = labelled([30, 12, 60], domain=by_rank(("mono", "colour"), 1))
    episodes = sample(sampler, EpisodeShape(None, 20, 4, k_shot_at_most=True), images, np.arange(3), count=10)
    expected = [20, 8, 20] if sampler == Balanced() else [15, 6, 20]
    assert episodes.support_count.reshape(10, 3).tolist() == [expected] * 10
    assert (episodes.query_count == 4).all()
    episodes.check(images)


def test_at_most_k_shots_leave_an_image_to_ask_for():
    images = labelled([30, 12, 60])
    episodes = sample(None, EpisodeShape(None, 20, None, k_shot_at_most=True), images, np.arange(3), count=4)
    assert episodes.support_count.reshape(4, 3).tolist() == [[20, 11, 20]] * 4
    assert episodes.query_count.reshape(4, 3).tolist() == [[10, 1, 40]] * 4


def test_at_most_k_shots_are_k_shots_where_there_are_enough():
    assert same(sample(shape=EpisodeShape(5, 3, 4, k_shot_at_most=True)), sample(shape=EpisodeShape(5, 3, 4)))


def test_classes_of_a_million_images_take_bounded_memory():
    labels = np.repeat(np.arange(3), 10**6)
    pixels = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (len(labels), 1, 1))
    images = LabelledImages("big", ArrayImages(pixels), labels, ("a", "b", "c"), "pixels")
    images.pool()
    tracemalloc.start()
    for start in range(0, 3000, 1000):
        sample(shape=EpisodeShape(3, 5, 15), images=images, classes=np.arange(3), start=start, count=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20
