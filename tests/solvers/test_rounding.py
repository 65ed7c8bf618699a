"""Logits in a shorter type: differences that float32 would hide stay, all other bits too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.evaluators.prototype import Prototype
from fewshot.runs.feature_learner import FeatureLearner, Held
from fewshot.runs.solving import solve
from fewshot.samplers.balanced import Balanced
from fewshot.solvers import compiled
from fewshot.solvers.rounding import shortened
from tests.support.worlds import labelled, vectors

IMAGES = labelled(8, 40)
TABLE = vectors(IMAGES, 16, 4.0)


def test_rows_that_float32_can_hold_keep_their_bits():
    logits = torch.randn(3, 40, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(shortened(logits, torch.float32), logits.float())
    assert shortened(logits, torch.float64) is logits


@pytest.mark.parametrize("offset", [1.0, 1e6, -1e9])
def test_rows_that_differ_in_late_digits_keep_their_order_and_differences(offset):
    small = torch.randn(2, 30, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    logits = offset * (1 + 1e-8 * small)
    short = shortened(logits, torch.float32)
    assert torch.equal(short.argmax(2), logits.argmax(2))
    wanted = logits - logits.amax(2, keepdim=True)
    torch.testing.assert_close(short - short.amax(2, keepdim=True), wanted.float(), rtol=1e-6, atol=0)


def test_classes_that_tie_but_for_rounding_still_tie():
    tied = torch.full((1, 2, 4), 0.7, dtype=torch.float64)
    tied[0, :, 2] += 2e-16
    assert (shortened(tied, torch.float32) == np.float32(0.7)).all()


@pytest.mark.parametrize("numba", [True, False])
@pytest.mark.parametrize("evaluator", [Prototype("cosine"), NearestNeighbour(k=5, temperature=1.0)], ids=repr)
@pytest.mark.parametrize("offset", [1e3, 1e4])
def test_cosines_of_features_with_a_common_offset_are_right_in_loops_and_without(evaluator, offset, numba, monkeypatch):
    if not numba:
        monkeypatch.setattr(compiled, "serves", lambda *_: False)
    episodes = Balanced().sample(IMAGES, np.arange(8), EpisodeShape(4, 5, 6), seed=0, start=0, count=20)
    table = (TABLE.double() + offset).float()
    in_float32, in_float64 = (
        solve(episodes, FeatureLearner(evaluator, gather, table.shape[1]))
        for gather in (Held(table), Held(table.double()))
    )
    assert (in_float32.predicted == in_float64.predicted).mean() > 0.995
    assert (in_float32.predicted == episodes.query_labels).mean() > 0.95
