"""Easy, medium and hard tasks are what their definition says, and the file of similarities is read with care."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chisquare

from fewshot.conformance.samplers import labelled
from fewshot.datasets.class_similarity import ClassSimilarity
from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.similarity_testbed import SimilarityTestbed
from tests.support.sampler_worlds import sample

IMAGES = labelled([12] * 20)
POINTS = np.random.default_rng(0).normal(size=(20, 3))
VALUES = np.round(-np.linalg.norm(POINTS[:, None] - POINTS, axis=2), 3)
NAMES = tuple(f"class {c}" for c in range(20))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "alike.csv"
    path.write_text(ClassSimilarity(NAMES, VALUES).to_csv())
    return path


def drawn(table, difficulty, n_way=5, count=2000, classes=range(20)):
    sampler = SimilarityTestbed(table, difficulty)
    return sample(sampler, EpisodeShape(n_way, 1, 2), IMAGES, np.array(classes), count=count)


def ways(episodes):
    return episodes.classes.reshape(len(episodes), -1)


def mean_similarity(classes):
    """[E] the mean similarity of two classes of each episode."""
    values = VALUES[classes[:, :, None], classes[:, None, :]]
    return values.sum((1, 2)) / (classes.shape[1] * (classes.shape[1] - 1))


@pytest.mark.parametrize(("difficulty", "thirds"), [("easy", 0), ("medium", 1), ("hard", 2)])
def test_every_next_class_is_of_its_third_and_each_of_them_comes_as_often(table, difficulty, thirds):
    places = {way: [] for way in range(1, 5)}
    for chosen in ways(drawn(table, difficulty)).tolist():
        for way in places:
            left = [c for c in range(20) if c not in chosen[:way]]
            order = sorted(left, key=lambda c: (sum(VALUES[c, d] for d in chosen[:way]), c))
            places[way].append(order.index(chosen[way]))
    for way, found in places.items():
        left = 20 - way
        third = -(-left // 3)
        low = (0, (left - third) // 2, left - third)[thirds]
        counts = np.bincount(found, minlength=20)
        assert counts[low : low + third].sum() == 2000
        assert chisquare(counts[low : low + third]).pvalue > 1e-4


def test_the_first_class_is_any_class_as_often_and_hard_tasks_are_of_nearer_classes(table):
    found = {difficulty: ways(drawn(table, difficulty)) for difficulty in ("easy", "medium", "hard")}
    assert np.array_equal(found["easy"][:, 0], found["hard"][:, 0])
    assert chisquare(np.bincount(found["easy"][:, 0], minlength=20)).pvalue > 1e-4
    means = [mean_similarity(classes).mean() for classes in found.values()]
    assert all(higher > lower + 0.3 for lower, higher in pairwise(means))


def test_fewer_ways_are_the_first_ways_and_all_ways_are_all_classes(table):
    assert np.array_equal(ways(drawn(table, "hard", 3)), ways(drawn(table, "hard", 5))[:, :3])
    assert ways(drawn(table, "easy", None, 2)).tolist() == [list(range(20))] * 2
    assert sorted(ways(drawn(table, "hard", 20, 1))[0]) == list(range(20))


def test_the_table_may_name_more_classes_in_another_order(table, tmp_path):
    order = np.random.default_rng(1).permutation(20)
    other = tmp_path / "other.csv"
    other.write_text(ClassSimilarity(tuple(NAMES[c] for c in order), VALUES[np.ix_(order, order)]).to_csv())
    some = range(4, 14)
    assert drawn(table, "hard", classes=some).digest == drawn(other, "hard", classes=some).digest


def test_the_similarities_of_features_are_cosines_of_centred_class_means():
    random = np.random.default_rng(0)
    labels = random.permutation(np.repeat(np.arange(4), 1500))
    vectors = (random.normal(size=(4, 6))[labels] + random.normal(size=(6000, 6))).astype(np.float32)
    images, rows = labelled_vectors(vectors, labels), np.flatnonzero(labels != 2)
    found = ClassSimilarity.of(images, rows, images.vectors.gather)
    unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    means = np.stack([unit[labels == c].mean(0) for c in (0, 1, 3)])
    centred = means - means.mean(0)
    expected = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a in centred] for b in centred]
    assert found.names == ("0", "1", "3")
    np.testing.assert_allclose(found.values, expected, atol=1e-12)


def test_a_table_comes_back_from_its_file_to_six_places(table):
    again = ClassSimilarity.read(table)
    assert again.names == NAMES
    np.testing.assert_allclose(again.values, VALUES, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "alike.csv is empty; expected a header with the column class"),
        ("name,a,b\na,1,0\nb,0,1\n", "has no column 'class'; expected a first line such as class, .* 'name,a,b'"),
        ("class,a,a\na,1,0\na,0,1\n", "has two columns 'a'; name every column once"),
        (
            "a,class,b\na,1,0\nb,0,1\n",
            "must begin with the line class,<name>,<name>,... of at least two .* 'a,class,b'",
        ),
        ("class,a\na,1\n", "must begin with the line class,<name>"),
        ("class,a,b\na,1\nb,0,1\n", r"alike.csv, line 2: expected 3 fields \(class, a, b\), found 2"),
        ("class,a,b\nb,1,0\na,0,1\n", "the first fields of the lines of .* must be its 2 classes, in their order"),
        ("class,a,b\na,1,0\n", "the first fields of the lines of .* must be its 2 classes, in their order"),
        ("class,a,b\na,1,x\nb,0,1\n", "alike.csv, line 2: similarities must be finite numbers, found 'x'"),
        ("class,a,b\na,1,nan\nb,0,1\n", "alike.csv, line 2: similarities must be finite numbers, found 'nan'"),
        ("class,a,b\na,1,0.5\nb,0,1\n", "must be symmetric, but has 0.5 for 'a', 'b' and 0 for 'b', 'a'"),
        ("class,a,b\na,1,0\nb,0,1\n", "lacks 20 of the 20 classes to sample from in test, such as 'class 0'"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_sentence(table, text, message):
    table.write_text(text)
    with pytest.raises(ValueError, match=message):
        drawn(table, "hard")


def test_a_missing_table_and_an_unknown_difficulty_are_one_sentence(table, tmp_path):
    with pytest.raises(
        ValueError, match=r"cannot read the class similarities '.*no.csv': .*features --similarity FILE"
    ):
        drawn(tmp_path / "no.csv", "hard")
    with pytest.raises(
        ValueError, match="'difficulty' parameter of SimilarityTestbed must be one of easy, medium, hard"
    ):
        drawn(table, "brutal")
