"""TIM against the loss of its papers, written down plainly and differentiated by torch, an episode at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tim import TIM

ALPHA_TIM = TIM(alpha=2.0, weights=(1.0, 1.0, 1.0))
HEADS = [TIM(), ALPHA_TIM, replace(ALPHA_TIM, alpha=7.0), replace(ALPHA_TIM, alpha=0.5), TIM(weights=(1.0, 0.0, 0.3))]
each_head = pytest.mark.parametrize("head", [replace(h, lr=1e-3, iterations=30) for h in HEADS], ids=repr)


def episodes(n_way=5, k_shot=2, n_query=30, dim=24, count=4, dtype=torch.float64):
    """Rows of length 1 around class centres; the classes of the queries come as they like."""
    generator = torch.Generator().manual_seed(7)
    centres = torch.randn(count, n_way, dim, generator=generator, dtype=dtype)
    labels = torch.arange(n_way).repeat_interleave(k_shot).repeat(count, 1)
    asked = torch.randint(n_way, (count, n_query), generator=generator)
    rows = torch.stack([c[torch.cat([s, q])] for c, s, q in zip(centres, labels, asked, strict=True)])
    rows = torch.nn.functional.normalize(rows + torch.randn(rows.shape, generator=generator, dtype=dtype), dim=2)
    held = torch.ones_like(labels, dtype=torch.bool)
    batch = EpisodeBatch(rows[:, : labels.shape[1]], labels, held, n_way, torch.arange(count))
    return batch, rows[:, labels.shape[1] :], torch.ones_like(asked, dtype=torch.bool)


def loss_of_the_papers(head, w, support, labels, query):
    def probabilities(rows):
        return torch.softmax(-head.temperature / 2 * (rows[:, None] - w).square().sum(2), 1)

    def entropy(p):
        if head.alpha == 1:
            return -(p * p.log()).sum(-1)
        return (1 - p.pow(head.alpha).sum(-1)) / (head.alpha - 1)

    p = probabilities(query)
    cross_entropy = -probabilities(support)[torch.arange(len(labels)), labels].log().mean()
    terms = torch.stack([cross_entropy, -entropy(p.mean(0)), entropy(p).mean()])
    return (torch.tensor(head.weights, dtype=w.dtype) * terms).sum()


def by_torch(head, support, labels, query):
    """Logits, and the loss before every step and after the last."""
    w = torch.stack([support[labels == c].mean(0) for c in labels.unique()]).requires_grad_()
    optimizer = torch.optim.Adam([w], lr=head.lr)
    losses = []
    for _ in range(head.iterations):
        optimizer.zero_grad()
        loss = loss_of_the_papers(head, w, support, labels, query)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    losses.append(loss_of_the_papers(head, w, support, labels, query).item())
    return -head.temperature / 2 * (query[:, None] - w.detach()).square().sum(2), losses


@each_head
@pytest.mark.parametrize("k_shot", [1, 4])
def test_each_episode_is_what_torch_finds_with_the_loss_of_the_papers(head, k_shot):
    batch, query, mask = episodes(k_shot=k_shot)
    found = head.logits(batch, query, mask)
    for e in range(len(query)):
        wanted, losses = by_torch(head, batch.support[e], batch.support_labels[e], query[e])
        assert torch.allclose(found[e], wanted, rtol=0, atol=1e-9)
        assert losses[-1] < losses[0]


@each_head
def test_ragged_episodes_in_a_batch_are_those_alone(head):
    batch, query, mask = episodes(k_shot=3)
    held = torch.ones_like(batch.support_mask)
    held[0, [1, 2, 4]] = held[2, 14] = False
    mask[1, 20:] = mask[3, 7:] = False
    noise = 5 + torch.rand(query.shape, generator=torch.Generator().manual_seed(1), dtype=query.dtype)
    support = torch.where(held[:, :, None], batch.support, noise[:, : held.shape[1]])
    padded = replace(batch, support=support, support_labels=batch.support_labels * held, support_mask=held)
    found = head.logits(padded, torch.where(mask[:, :, None], query, noise), mask)
    for e in range(len(query)):
        wanted, _ = by_torch(head, batch.support[e, held[e]], batch.support_labels[e, held[e]], query[e, mask[e]])
        assert torch.allclose(found[e, mask[e]], wanted, rtol=0, atol=1e-9)


def test_the_full_thousand_steps_of_both_papers_agree_with_torch():
    batch, query, mask = episodes(count=1, n_query=12)
    for head in (TIM(), ALPHA_TIM):
        wanted, losses = by_torch(head, batch.support[0], batch.support_labels[0], query[0])
        assert torch.allclose(head.logits(batch, query, mask)[0], wanted, rtol=0, atol=1e-8)
        assert losses[-1] < min(losses[:500])


def test_without_a_step_it_is_the_nearest_prototype():
    batch, query, mask = episodes()
    found = TIM(iterations=0).logits(batch, query, mask)
    assert torch.allclose(found, 7.5 * Prototype().fit(batch)(query), rtol=0, atol=1e-12)


def test_queries_far_from_every_class_give_finite_logits():
    batch, query, mask = episodes()
    for scale in (1e6, 1e-6, 0.0):
        for alpha in (0.5, 1.0, 2.0):
            head = TIM(alpha=alpha, iterations=5)
            assert torch.isfinite(head.logits(replace(batch, support=scale * batch.support), scale * query, mask)).all()


def test_the_balanced_prior_evens_out_what_it_predicts():
    """Nearly all queries are of way 0: TIM hands more of them to the others than alpha-TIM does."""
    generator = torch.Generator().manual_seed(3)
    batch, _, mask = episodes(count=6, n_query=30)
    noise = 0.25 * torch.randn(6, 30, 24, generator=generator, dtype=torch.float64)
    query = torch.nn.functional.normalize(batch.support[:, :1] + noise, dim=2)
    heads = [replace(head, lr=5e-4, iterations=200) for head in (TIM(), ALPHA_TIM)]
    share = [float((head.logits(batch, query, mask).argmax(2) == 0).double().mean()) for head in heads]
    assert share[0] < share[1] - 0.1


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (lambda: TIM(alpha=0.0), r"The 'alpha' parameter of TIM must be a positive number. Got 0.0 instead."),
        (
            lambda: TIM(weights=(1.0, 1.0)),
            r"The 'weights' parameter of TIM must be three numbers of at least 0. Got \(1.0, 1.0\)",
        ),
        (lambda: TIM(weights=(1.0, -1.0, 1.0)), "must be three numbers of at least 0"),
        (
            lambda: TIM(temperature=float("inf")),
            "The 'temperature' parameter of TIM must be a positive number. Got inf",
        ),
        (lambda: TIM(lr=True), "The 'lr' parameter of TIM must be a positive number. Got True"),
        (lambda: TIM(iterations=1.5), "The 'iterations' parameter of TIM must be an integer of at least 0. Got 1.5"),
    ],
)
def test_wrong_hyperparameters_are_told(head, message):
    with pytest.raises(ValueError, match=message):
        head()
