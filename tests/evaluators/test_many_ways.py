"""Episodes of thousands of ways: bounded memory, and the answers of the indicator matrix."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from fewshot.evaluators import _by_class
from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tip_adapter import TipAdapter
from tests.support.support_sets import queries, ragged

HEADS = [NearestNeighbour(), NearestNeighbour(k=3, temperature=0.1), Prototype(), Prototype("cosine"), TipAdapter()]
PEAK = """
import resource, torch
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.evaluators.prototype import Prototype
n = 10_000
vectors = torch.randn(1, n, 8, generator=torch.Generator().manual_seed(0))
held = torch.ones(1, n, dtype=torch.bool)
batch = EpisodeBatch(vectors, torch.arange(n)[None], held, n, torch.zeros(1, dtype=torch.int64))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for head in (NearestNeighbour(), Prototype()):
    assert (head.fit(batch)(vectors[:, :20])[0].argmax(1) == torch.arange(20)).all()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("head", HEADS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_by_label_are_those_of_the_indicator_matrix(head, dtype, monkeypatch):
    batch, _ = ragged(12)
    names = torch.as_tensor(np.random.default_rng(0).normal(size=(len(batch.support), batch.n_way, 12)))
    batch = replace(batch, support=batch.support.to(dtype), class_features=names.to(dtype))
    asked = queries(len(batch.support), 12).to(dtype)
    monkeypatch.setattr("fewshot.evaluators.nearest_neighbour._NEAR_ENTRIES", 0)  # not the compiled loops
    by_matrix = head.fit(batch)(asked)
    monkeypatch.setattr(_by_class, "_MOST_ENTRIES", 0)
    torch.testing.assert_close(
        head.fit(batch)(asked), by_matrix, rtol=1e-12 if dtype == torch.float64 else 0, atol=1e-12
    )


def test_ten_thousand_ways_take_megabytes():
    """The indicator matrix alone would have 763."""
    output = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True).stdout
    assert int(output) < 150
