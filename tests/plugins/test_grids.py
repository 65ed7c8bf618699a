"""Grids of hyperparameters: every combination, in order, and one sentence for what is no grid."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.plugins.grids import PRESETS, combinations, parse_grid


def test_a_grid_is_every_combination_of_its_values_in_order():
    grid = (("C", (0.1, 1.0)), ("max_iter", (50, 100)))
    assert combinations(grid) == [
        {"C": 0.1, "max_iter": 50},
        {"C": 0.1, "max_iter": 100},
        {"C": 1.0, "max_iter": 50},
        {"C": 1.0, "max_iter": 100},
    ]


def test_dinov2s_values_are_45_from_a_millionth_to_a_hundred_thousand():
    np.testing.assert_allclose(PRESETS["dinov2"], 10 ** np.linspace(-6, 5, 45), rtol=1e-14)
    assert [member["C"] for member in combinations((("C", "dinov2"),))] == list(PRESETS["dinov2"])


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ((), r"a grid must hold fields and their values, such as \(\('C', \(0.1, 1.0\)\),\). Got \(\) instead"),
        ("C=1", "Got 'C=1' instead"),
        (None, "Got None instead"),
        (("C", (0.1, 1.0)), "must hold pairs of a field and its values.* Got 'C' instead"),
        (((1, (0.1,)),), "must hold pairs of a field and its values"),
        ((("C", ()),), r"values of 'C' must be a tuple of at least one. Got \(\) instead"),
        ((("C", 0.1),), "values of 'C' must be a tuple of at least one. Got 0.1 instead"),
        ((("C", "dinov3"),), "must be a tuple or one of the names dinov2. Got 'dinov3' instead"),
        ((("C", (1, 1.0)),), "holds each value of 'C' once. Got 1.0 twice"),
        ((("C", (1.0,)), ("C", (2.0,))), "holds each field once. Got the fields C, C instead"),
    ],
)
def test_what_is_no_grid_is_said(grid, message):
    with pytest.raises(ValueError, match=message):
        combinations(grid)


def test_a_grid_of_a_command_line_is_read():
    assert parse_grid(["C=0.01,0.1, 1", "metric=cosine,euclidean", "batch_size=None,16"]) == (
        ("C", (0.01, 0.1, 1)),
        ("metric", ("cosine", "euclidean")),
        ("batch_size", (None, 16)),
    )
    assert parse_grid(["C=dinov2"]) == (("C", "dinov2"),)


@pytest.mark.parametrize("text", ["", "C", "C=", "=1", "C=1,,2", "C D=1"])
def test_a_grid_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(ValueError, match=r"write FIELD=VALUE,VALUE such as C=0.01,0.1,1"):
        parse_grid([text])
