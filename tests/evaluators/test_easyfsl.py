"""Heads against easyfsl's on the same episodes, where it is installed (pip install easyfsl --no-deps)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fewshot.evaluators.matching import Matching
from fewshot.evaluators.prototype import Prototype
from fewshot.transforms.l2 import L2
from tests.support.support_sets import balanced, queries

pytest.importorskip("easyfsl", reason="easyfsl is a peer of the benchmarks: pip install easyfsl --no-deps")

from easyfsl.methods.matching_networks import MatchingNetworks
from easyfsl.methods.prototypical_networks import PrototypicalNetworks
from easyfsl.methods.simple_shot import SimpleShot

SHAPES = [(5, 1, 64), (5, 5, 64), (20, 3, 16)]


def answers(method, supports, asked):
    """easyfsl's scores, episode by episode, in float64."""
    found = []
    for (rows, labels), query in zip(supports, asked, strict=True):
        method.process_support_set(torch.as_tensor(rows), torch.as_tensor(labels))
        found.append(method(query))
    return torch.stack(found)


@pytest.mark.parametrize(("n_way", "k_shot", "dim"), SHAPES)
def test_prototypical_networks_give_the_root_of_our_distances(n_way, k_shot, dim):
    """easyfsl takes the distance where the paper squares it: the same predictions, other confidences."""
    batch, supports = balanced(n_way, k_shot, dim)
    ours = Prototype().fit(batch)(queries(4, dim))
    theirs = answers(PrototypicalNetworks(nn.Identity()), supports, queries(4, dim))
    torch.testing.assert_close(-theirs.square(), ours, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("n_way", "k_shot", "dim"), SHAPES)
def test_its_simple_shot_is_the_cosine_with_prototypes(n_way, k_shot, dim):
    """The paper takes the Euclidean distance to the mean of normalised rows, which is another classifier."""
    batch, supports = balanced(n_way, k_shot, dim)
    ours = Prototype("cosine").fit(batch)(queries(4, dim))
    torch.testing.assert_close(answers(SimpleShot(nn.Identity()), supports, queries(4, dim)), ours)


class _NoContext(MatchingNetworks):
    """easyfsl's matching without its recurrent context embeddings, in float64."""

    def process_support_set(self, support_images, support_labels):
        super().process_support_set(support_images, support_labels)
        self.one_hot_support_labels = self.one_hot_support_labels.double()

    def encode_support_features(self, support_features):
        return support_features

    def encode_query_features(self, query_features):
        return query_features


@pytest.mark.parametrize(("n_way", "k_shot", "dim"), SHAPES)
def test_its_matching_is_ours_on_queries_of_length_one(n_way, k_shot, dim):
    """easyfsl leaves the query's length in the softmax, so that its scores are no cosines; on queries of length one
    they are, up to the 1e-6 that it adds to probabilities."""
    batch, supports = balanced(n_way, k_shot, dim)
    unit = L2().fit(None)(queries(4, dim))
    theirs = answers(_NoContext(nn.Identity(), feature_dimension=dim), supports, unit)
    torch.testing.assert_close(theirs.exp(), Matching().fit(batch)(unit).exp(), rtol=0, atol=3e-6)
