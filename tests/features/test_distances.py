"""Distances between sets of features, against direct computations and known answers."""

from __future__ import annotations

import json
from itertools import combinations, product

import numpy as np
import pytest
from scipy.linalg import sqrtm

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.features.distances import class_means, distances, frechet, nearest_class, squared_mmd
from tests.support.command_line import succeed
from tests.support.stripes import Stripes

RANDOM = np.random.default_rng(0)


def test_the_squared_mmd_is_the_mean_over_pairs_of_different_rows():
    x, y = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(5, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    expected = np.mean([k(a, b) for a, b in combinations(x, 2)]) + np.mean([k(a, b) for a, b in combinations(y, 2)])
    expected -= 2 * np.mean([k(a, b) for a, b in product(x, y)])
    assert squared_mmd(x, y) == pytest.approx(expected, rel=1e-12)


def test_the_squared_mmd_of_equal_distributions_is_unbiased_and_grows_with_a_shift():
    values = [squared_mmd(*RANDOM.normal(size=(2, 12, 4))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0
    x, y = RANDOM.normal(size=(2, 200, 4))
    assert squared_mmd(x, y) < squared_mmd(x, y + 0.5) < squared_mmd(x, y + 1)


@pytest.mark.parametrize("shape", [(50, 4), (5, 9)], ids=["more rows", "more columns"])
def test_the_frechet_distance_is_that_of_two_normal_distributions(shape):
    x, y = RANDOM.normal(size=shape), RANDOM.normal(size=shape) * 2 + 1
    s, t = np.cov(x.T), np.cov(y.T)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * np.real(sqrtm(s @ t)))
    assert frechet(x, y) == pytest.approx(expected, rel=1e-5)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet(x, x + 2) == pytest.approx(4 * shape[1], rel=1e-9)


def test_the_nearest_class_is_measured_by_cosine():
    source = np.array([[1.0, 0.0], [0.0, 3.0]])
    target = np.array([[2.0, 0.0], [1.0, 1.0]])
    assert nearest_class(source, target) == pytest.approx((0 + 1 - np.sqrt(0.5)) / 2)
    assert class_means(np.array([[1.0], [3.0], [5.0]]), np.array([4, 4, 9])).tolist() == [[2.0], [5.0]]


def test_equal_numbers_of_images_are_drawn_and_alike_sets_are_near():
    images, reference = Stripes().load(), RawPixels(8).load()
    near = distances(images, np.arange(6), images, np.arange(6), reference, n=60)
    far = distances(images, np.arange(6), images, np.arange(6, 12), reference, n=60)
    assert near.n == far.n == 60
    assert near.mmd < far.mmd
    assert near.nearest_class < far.nearest_class
    assert far == distances(images, np.arange(6), images, np.arange(6, 12), reference, n=60)
    assert distances(images, np.arange(2), images, np.arange(6), reference).n == 40
    with pytest.raises(ValueError, match="distances need at least 4 images of stripes and of stripes; found 0"):
        distances(images, np.arange(0), images, np.arange(6), reference)


def test_the_command_shows_every_pair(folder):
    args = ("--source", str(folder), "--target", str(folder), "--target", "Glyphs", "--reference", "RawPixels(4)")
    shown = json.loads(succeed("distance", *args, "--images", "40", "--json"))
    assert [(d["source"], d["n"]) for d in shown["distances"]] == [(folder.name, 40)] * 2
    near, far = shown["distances"]
    assert near["mmd"] < far["mmd"]
    assert "MMD^2" in succeed("distance", *args, "--images", "40")
