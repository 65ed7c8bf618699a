"""Votes of one evaluator in several settings, against separate runs and a count by hand."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch

from fewshot.conformance.worlds import PictureWorld, VectorWorld
from fewshot.evaluators import Head
from fewshot.evaluators._votes import VotingHead
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.evaluators.tuned_vote import TunedVote
from fewshot.evaluators.vote import Vote
from fewshot.plugins.registry import EVALUATORS

STRENGTHS = (0.001, 0.1, 1.0, 100.0)
RATES, HEAD_RATES = (0.001, 0.01, 0.05), (0.01, 0.1, 0.5)


class FixedLogits(Head):
    """A head that answers the same to every query."""

    def __init__(self, logits: torch.Tensor) -> None:
        self._logits, self.converged = logits, None

    def __call__(self, query: torch.Tensor) -> torch.Tensor:
        return self._logits


def majority(answers: list[list[int]]) -> list[set[int]]:
    """For each query the classes with most votes, counted one by one."""
    winners = []
    for votes in zip(*answers, strict=True):
        counts = Counter(votes)
        winners.append({one for one, count in counts.items() if count == max(counts.values())})
    return winners


def test_a_vote_is_the_majority_of_separate_fits_and_ties_go_by_probability_or_to_the_first():
    world = VectorWorld()
    trial = world.trial(3, n_episodes=6, n_way=5, k_shot=1, n_query=8, separation=0.5)
    grid = (("C", STRENGTHS),)
    separate = torch.stack([LinearProbe(C=C).fit(trial.batch)(trial.query) for C in STRENGTHS])
    by_probability, first = (
        Vote(LinearProbe(), grid, ties).fit(trial.batch)(trial.query) for ties in ("probability", "first")
    )
    for episode in range(6):
        winners = majority(separate[:, episode].argmax(-1).tolist())
        mean = separate[:, episode].double().softmax(-1).mean(0)
        for row, tied in enumerate(winners):
            assert int(first[episode, row].argmax()) == min(tied)
            assert int(by_probability[episode, row].argmax()) == max(tied, key=lambda one: mean[row, one])
    assert any(len(tied) > 1 for e in range(6) for tied in majority(separate[:, e].argmax(-1).tolist()))


def test_the_probabilities_of_a_vote_are_its_shares():
    trial = VectorWorld().trial(1)
    members = [NearestNeighbour(k=k).fit(trial.batch)(trial.query) for k in (1, 3)]
    head = Vote(NearestNeighbour(), (("k", (1, 3)),)).fit(trial.batch)
    votes = sum(torch.nn.functional.one_hot(each.argmax(-1), 3) for each in members)
    share = sum(each.double().softmax(-1) for each in members) / 2
    torch.testing.assert_close(head(trial.query).double().softmax(-1), (votes + share) / 3, atol=1e-5, rtol=1e-5)


def test_nine_fine_tunings_vote_as_nine_separate_runs():
    world = PictureWorld()
    trial = world.trial(2, n_episodes=2, n_way=3, k_shot=2, n_query=6, separation=0.3)
    inner = FineTune(steps=6, optimizer="adam", schedule="cosine", unit_features=True)
    vote = TunedVote(inner, (("lr", RATES), ("head_lr", HEAD_RATES)), ties="first")
    answers = vote.fit(trial.batch, world.backbone)(trial.query)
    separate = [
        FineTune(steps=6, optimizer="adam", schedule="cosine", unit_features=True, lr=lr, head_lr=head_lr)
        for lr, head_lr in product(RATES, HEAD_RATES)
    ]
    assert vote.members() == separate
    logits = [one.fit(trial.batch, world.backbone)(trial.query) for one in separate]
    assert len({tuple(each.argmax(-1).flatten().tolist()) for each in logits}) > 1  # they disagree
    for episode in range(2):
        winners = majority([each[episode].argmax(-1).tolist() for each in logits])
        assert answers[episode].argmax(-1).tolist() == [min(tied) for tied in winners]


def test_the_head_has_its_own_rate_and_sees_features_of_length_one():
    world = PictureWorld()
    trial = world.trial(4, n_episodes=1, n_way=3, k_shot=2)
    tuned = FineTune(tune="all", steps=1, lr=1e-9, head_lr=0.5, unit_features=True)
    head = tuned.fit(trial.batch, world.backbone)
    pictures = torch.stack([world.backbone.preprocess(one) for one in trial.batch.support.decode(0, range(6))])
    features = torch.nn.functional.normalize(world.backbone.network(pictures), dim=1)
    labels = torch.nn.functional.one_hot(trial.batch.support_labels[0], 3).float()
    # One step of gradient descent from zero: the probabilities are 1/3 each.
    weight = 0.5 * features.T @ (labels - 1 / 3) / 6
    torch.testing.assert_close(head.heads.weight[0], weight, atol=1e-6, rtol=1e-4)
    alone = FineTune(tune="head", steps=1, head_lr=0.5, unit_features=True).fit(trial.batch, world.backbone)
    torch.testing.assert_close(alone.heads.weight[0], weight, atol=1e-6, rtol=1e-4)
    np.testing.assert_allclose(alone(trial.query).numpy(), head(trial.query).numpy(), atol=1e-5)


def test_fields_that_came_later_leave_old_texts_as_they_are():
    assert "head_lr" not in EVALUATORS.spec("FineTune()").text
    assert "unit_features" not in EVALUATORS.spec("FineTune()").text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Vote(FineTune(), (('lr', (0.1,)),))", "TunedVote is for those that tune the network"),
        ("TunedVote(LinearProbe(), (('C', (0.1,)),))", "Vote is for those of features"),
        ("Vote(TIM(), (('steps', (1,)),))", "an evaluator of features"),
        ("Vote(LinearProbe(), (('C', (0.1,)),), ties='last')", "one of probability, first"),
    ],
)
def test_a_vote_of_the_other_kind_is_refused_with_the_right_one(text, message):
    with pytest.raises(ValueError, match=message):
        EVALUATORS.make(text)


def test_a_vote_over_an_unknown_field_names_the_known_ones():
    with pytest.raises(ValueError, match=r"LinearProbe has no field 'D'; its fields are: C"):
        Vote(LinearProbe(), (("D", (1,)),)).members()


@pytest.mark.parametrize(
    ("heads", "softmax"),
    [
        ([[1.0, 1.0, 0.0]], [5 / 12, 5 / 12, 2 / 12]),
        ([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]], [5 / 18, 11 / 18, 2 / 18]),
        ([[2.0, 2.0, 2.0]] * 3, [1 / 3] * 3),
    ],
)
def test_classes_that_tie_in_a_head_share_its_vote(heads, softmax):
    fixed = [FixedLogits(torch.tensor([[logits]], dtype=torch.float64)) for logits in heads]
    answered = VotingHead(fixed, "first")(torch.zeros(1, 1, 2)).softmax(-1)
    torch.testing.assert_close(answered, torch.tensor([[softmax]], dtype=torch.float64))
