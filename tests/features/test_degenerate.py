"""Features that cannot tell images apart are one warning, and every head still answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.episodes.shape import EpisodeShape
from fewshot.features.degenerate import warn_of_degenerate
from fewshot.notebooks.evaluation import evaluate
from fewshot.samplers.balanced import Balanced

MIXED = torch.cat([torch.eye(6), torch.full((6, 1), 1e9)], dim=1)  # one feature is constant and large


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (torch.ones(6, 3), "all 6 images of v have the same features under given, so every answer is a guess"),
        (torch.zeros(6, 3), "all 6 images of v have the same features"),
        (torch.eye(6) + 1e6, "the features of the 6 images of v under given are so nearly equal that rounding decides"),
        (torch.eye(6)[:, :4], "2 of 6 images of v have features of zeros only under given"),
    ],
)
def test_equal_and_zero_rows_are_one_warning(vectors, message, caplog):
    warn_of_degenerate(vectors, "v", "given")
    assert len(caplog.records) == 1
    assert message in caplog.text


@pytest.mark.parametrize(
    "vectors", [torch.eye(6), torch.ones(1, 3), torch.zeros(0, 3), torch.eye(6) + 1e4, MIXED], ids=str
)
def test_features_that_differ_are_no_warning(vectors, caplog):
    warn_of_degenerate(vectors, "v", "given")
    assert not caplog.records


@pytest.mark.parametrize("evaluator", ["Prototype()", "LinearProbe()", "GaussianHead(scale='support')", "Matching()"])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_run_on_equal_features_has_chance_accuracy_and_one_warning(evaluator, value, caplog):
    images = labelled_vectors(np.full((60, 8), value, np.float32), np.arange(60) % 6, name="v")
    episodes = Balanced().sample(images, np.arange(6), EpisodeShape(5, 2, 4), seed=0, start=0, count=10)
    row = evaluate("given", images, episodes, evaluator, progress=False)
    assert row.accuracy == pytest.approx(0.2)
    assert np.isfinite(row.measures["log_loss"])
    assert len([record for record in caplog.records if "the same features" in record.message]) == 1
