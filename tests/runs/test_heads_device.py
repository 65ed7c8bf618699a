"""Heads on a device that is not the CPU, and in too little memory: the same answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from fewshot.conformance import PictureWorld, worlds
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import FeatureEvaluator, Head, ImageEvaluator, TransductiveEvaluator
from fewshot.evaluators._own_code import OwnCode
from fewshot.evaluators.cross_validated import CrossValidated
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.plugins.registry import EVALUATORS
from fewshot.runs.feature_learner import FeatureLearner, Held
from fewshot.runs.heads_device import ON_CPU, HeadsDevice, heads_device
from fewshot.runs.solving import solve
from fewshot.samplers.balanced import Balanced
from tests.support.pretend_device import DEVICE, pretended
from tests.support.worlds import labelled, vectors

CASES = [
    (evaluator, world)
    for name in EVALUATORS.names()
    for evaluator in EVALUATORS.get(name).examples()
    for world in worlds(evaluator)
]
IMAGES = labelled(8, 40)
TABLE = vectors(IMAGES, 6, 0.5)
EPISODES = Balanced().sample(IMAGES, np.arange(8), EpisodeShape(4, 2, 5), seed=0, start=0, count=9)
THERE = HeadsDevice(DEVICE, always=True)


@pytest.mark.parametrize(
    ("evaluator", "world"), CASES, ids=lambda x: type(x).__name__ if x in [w for _, w in CASES] else repr(x)
)
def test_a_device_gives_the_logits_of_the_cpu(evaluator, world, monkeypatch):
    monkeypatch.setattr("fewshot.solvers.compiled.installed", lambda: False)
    trial = world.trial(0)
    wanted = world.logits(evaluator, trial.batch, trial.query)
    with pretended():
        if isinstance(evaluator, ImageEvaluator):
            there = PictureWorld()
            there.backbone.network.to(DEVICE)
            found = there.logits(evaluator, trial.batch, trial.query)
            assert found.device.type == "cpu"
        else:
            found = on_device(evaluator, world, trial)
            assert found.device == DEVICE
            found = found.cpu()
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def on_device(evaluator, world, trial):
    """The logits of a feature evaluator there."""
    batch, query = trial.batch.on(DEVICE), trial.query.to(DEVICE)
    if isinstance(evaluator, TransductiveEvaluator):
        return evaluator.logits(batch, query, torch.ones(query.shape[:2], dtype=torch.bool, device=DEVICE))
    return world.logits(evaluator, batch, query)


def solved(evaluator, heads, table=TABLE):
    return solve(EPISODES, FeatureLearner(evaluator, Held(table), table.shape[1], heads=heads))


@pytest.mark.parametrize("evaluator", [Prototype(), LinearProbe(), EVALUATORS.make("TIM()")], ids=repr)
def test_a_run_with_heads_on_a_device_gives_the_predictions_of_the_cpu(evaluator):
    wanted = solved(evaluator, ON_CPU)
    with pretended():
        found = solved(evaluator, THERE)
    assert np.array_equal(found.predicted, wanted.predicted)
    assert np.array_equal(found.converged, wanted.converged)
    np.testing.assert_allclose(found.log_probability, wanted.log_probability, rtol=1e-4, atol=1e-5)


def test_large_episodes_go_to_the_gpu_and_small_ones_stay():
    gpu = torch.device("cuda")
    chosen = heads_device(LinearProbe(), gpu, None)
    assert chosen.of(25, 640).type == "cpu"
    assert chosen.of(25_000, 2048) == gpu
    assert heads_device(LinearProbe(), torch.device("cpu"), None) == ON_CPU
    assert heads_device(LinearProbe(), torch.device("mps"), None) == ON_CPU
    assert heads_device(LinearProbe(), torch.device("cpu"), "cuda:1").of(1, 1) == torch.device("cuda:1")


@dataclass(frozen=True)
class Foreign(Prototype):
    """An evaluator from elsewhere, which may make tensors on the CPU."""


@pytest.mark.parametrize("evaluator", [Foreign(), CrossValidated(Foreign(), (("metric", ("cosine",)),))], ids=repr)
def test_evaluators_from_elsewhere_go_to_a_device_only_if_told_to(evaluator):
    assert heads_device(evaluator, torch.device("cuda"), None) == ON_CPU
    assert heads_device(evaluator, torch.device("cuda"), "cuda").device.type == "cuda"


def test_code_of_numpy_stays_on_the_cpu():
    assert heads_device(OwnCode(), torch.device("cuda"), "cuda") == ON_CPU


# Too little memory


@dataclass(frozen=True)
class Narrow(FeatureEvaluator):
    """Prototype with memory for some episodes, and for some queries of each."""

    episodes: int
    queries: int = 1000

    @classmethod
    def examples(cls):
        return []

    def fit(self, batch):
        if len(batch.support) > self.episodes:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return _NarrowHead(Prototype().fit(batch), self.queries)


@dataclass(frozen=True)
class _NarrowHead(Head):
    head: Head
    queries: int

    def __call__(self, query):
        if query.shape[1] > self.queries:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return self.head(query)


@pytest.mark.parametrize("narrow", [Narrow(4), Narrow(3), Narrow(1), Narrow(1, 7), Narrow(1, 1)], ids=repr)
def test_too_little_memory_changes_no_prediction(narrow, caplog):
    wanted, done = solved(Narrow(1000), ON_CPU), []
    learner = FeatureLearner(narrow, Held(TABLE), 6)
    with caplog.at_level(logging.WARNING):
        found = solve(EPISODES, learner, advance=done.append)
    assert found.episodes.digest == wanted.episodes.digest
    for column in ("predicted", "confidence", "log_probability", "logits", "converged"):
        assert np.array_equal(getattr(found, column), getattr(wanted, column)), column
    assert sum(done) == 9
    messages = [record.getMessage() for record in caplog.records]
    assert "memory is too small for a batch of 8 episodes; fewshot goes on with batches of 4" in messages
    assert len(messages) == len(set(messages)), "each size is tried once"


def test_too_little_memory_for_one_query_is_one_sentence():
    with pytest.raises(MemoryError, match="memory is too small even for a batch of one of the episodes"):
        solved(Narrow(0), ON_CPU)


class Short(torch.nn.Module):
    """Passes on its input, with memory for `most` images."""

    def __init__(self, most, sizes):
        super().__init__()
        self.most, self.sizes = most, sizes

    def __deepcopy__(self, _):
        return self

    def forward(self, inputs):
        self.sizes.append(len(inputs))
        if len(inputs) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return inputs


TUNING = [
    "FineTune(steps=8)",
    "FineTune(steps=8, augment='crop+flip')",
    "FineTune('head', steps=8)",
    "FineTune('last 1', steps=8, start='probe')",
    "LoRA('all', steps=8)",
]


def tuned(text, most):
    """The logits of an evaluator, with memory for `most` images, and the sizes of all forward passes."""
    world, sizes = PictureWorld(), []
    layers = list(world.backbone.network)
    world.backbone = replace(world.backbone, network=torch.nn.Sequential(*layers[:2], Short(most, sizes), *layers[2:]))
    trial = world.trial(0)
    return world.logits(EVALUATORS.make(text), trial.batch, trial.query), sizes


@pytest.mark.parametrize("text", TUNING)
def test_too_little_memory_to_tune_a_network_halves_the_images_of_a_pass(text):
    wanted, _ = tuned(text, 1000)
    found, sizes = tuned(text, 5)
    assert max(sizes) > 5
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_mini_batch_that_must_be_whole_and_does_not_fit_is_one_sentence():
    with pytest.raises(MemoryError, match="which batchnorm='support' needs as a whole; lower batch_size"):
        tuned("FineTune(steps=8, batchnorm='support')", 5)
