"""MIEB's protocol on vectors: its draws, both solvers on one of them, and the committed table."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fewshot.benchmarks import mieb_convergence
from fewshot.benchmarks.mieb_convergence import DRAWS, N_CLASSES, SHOTS, TRAIN, WRITTEN_TO, Line, draws, table

from tests.support.checkout import ROOT
from tests.support.logistic_objective import objective

LINES = [Line(**values) for values in json.loads(WRITTEN_TO.read_text(encoding="utf-8"))]


def test_draws_are_powers_of_one_permutation_with_16_images_of_each_class() -> None:
    labels = np.repeat(np.arange(N_CLASSES), TRAIN)
    step, order = np.random.RandomState(mieb_convergence.SEED).permutation(len(labels)), np.arange(len(labels))
    for rows in draws(labels):
        order = order[step]
        np.testing.assert_array_equal(np.bincount(labels[rows]), SHOTS)
        of_first = order[labels[order] == 0][:SHOTS]
        np.testing.assert_array_equal(rows[:SHOTS], of_first)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_the_optimum_is_never_above_what_the_stopped_solver_reached(scale: float) -> None:
    train, labels, _, _ = mieb_convergence.features(scale)
    of_three = draws(labels)[0][: 3 * SHOTS]
    rows, own = train[of_three], labels[of_three]
    weight, bias, _ = mieb_convergence.scikit_learn(rows, own)
    stopped = objective(weight, bias, rows, own, 1.0)
    assert stopped == pytest.approx(mieb_convergence.objective(weight, bias, rows, own))
    assert mieb_convergence.objective(np.zeros_like(weight), np.zeros(3), rows, own) > stopped


def test_the_committed_lines_hold_every_scale_and_an_optimum() -> None:
    assert [line.scale for line in LINES] == list(mieb_convergence.SCALES)
    for line in LINES:
        assert len(line.stopped) == len(line.optimum) == DRAWS
        assert line.excess >= -1e-9  # nothing is below the optimum
    assert [line.difference > 5 for line in LINES] == [False, False, False, True, True]
    assert not any(line.n_stopped for line in LINES)  # the docs say so


def test_the_docs_quote_the_committed_table() -> None:
    assert table(LINES) in (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
