"""A subclass that replaces `fit` alone never gets the answers of its parent's faster ways."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import FeatureEvaluator, Head
from fewshot.evaluators.augmented_support import AugmentedSupport
from fewshot.evaluators.cross_validated import CrossValidated
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.ridge_probe import RidgeProbe
from fewshot.evaluators.standardised import Standardised
from fewshot.plugins.registry import EVALUATORS
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from tests.support.workbenches import bench


@dataclass(frozen=True)
class Constant(Head[torch.Tensor]):
    n_way: int

    def __call__(self, query):
        return torch.zeros(*query.shape[:2], self.n_way)


@dataclass(frozen=True)
class OwnPrototype(Prototype):
    def fit(self, batch):
        return Constant(batch.n_way)


@dataclass(frozen=True)
class OwnProbe(LinearProbe):
    def fit(self, batch):
        return Constant(batch.n_way)


@dataclass(frozen=True)
class OwnRidge(RidgeProbe):
    def fit(self, batch):
        return Constant(batch.n_way)


@dataclass(frozen=True)
class Around(LinearProbe):
    """Adds to the head of its parent, whose `fit` calls `fit_path`."""

    def fit(self, batch):
        super().fit(batch)
        return Constant(batch.n_way)


@dataclass(frozen=True)
class Inherited(LinearProbe):
    """Replaces nothing."""


OWN = (OwnPrototype(), OwnProbe(), OwnRidge(), Around())


@pytest.mark.parametrize("own", [*OWN, *(Standardised(each) for each in OWN[1:])], ids=repr)
def test_a_run_takes_the_replaced_fit(own, folder, results):
    spec = RunSpec(
        f"ImageFolderSet(root={str(folder)!r})",
        "RawPixels(image_size=4)",
        own,
        Sampled(EpisodeShape(5, 2, 4)),
        split="AllNovel",
        n_episodes=10,
    )
    assert run(spec, results, bench()).accuracy == pytest.approx(1 / 5)


@pytest.mark.parametrize("own", OWN, ids=repr)
def test_a_grid_takes_the_replaced_fit(own, monkeypatch):
    class Batch:
        n_way = 3

    monkeypatch.setattr(LinearProbe, "fit", lambda *_: None)
    assert own.fit_grid(Batch(), [own]) == [Constant(3)]


@pytest.mark.parametrize("kind", [LinearProbe, RidgeProbe, Inherited, CrossValidated, AugmentedSupport, Standardised])
def test_what_replaces_nothing_keeps_the_faster_way(kind, monkeypatch):
    monkeypatch.setattr(kind, "fit_path", lambda *_: ["path"])
    own = kind.examples()[0]
    assert own.fit_grid(None, [own]) == ["path"]


def test_every_member_with_a_faster_way_still_uses_it():
    for name in EVALUATORS.names():
        kind = EVALUATORS.get(name)
        if issubclass(kind, FeatureEvaluator) and "reads_rows" in vars(kind):
            assert "fit_rows" in vars(kind)
            assert "fit" in vars(kind)
