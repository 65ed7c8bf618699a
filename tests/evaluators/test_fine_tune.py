"""FineTune against a plain training loop."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fewshot.conformance import PictureWorld
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.runs.image_learner import ImageLearner
from fewshot.runs.solving import solve
from tests.support.tuned_pictures import EPISODES, IMAGES, by_learner


def plain_loop(world, trial, episode, evaluator):
    """Logits of an episode by the loop that everybody writes: the whole support at every step."""
    network = copy.deepcopy(world.backbone.network).requires_grad_(evaluator.tune == "all")
    if evaluator.tune == "last 1":
        network[4].requires_grad_(True)
    if evaluator.tune == "norm":
        network[1].requires_grad_(True)
    head = nn.Linear(12, 3)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    modes = {"frozen": network.eval, "support": network.train}
    trained = [p for p in [*network.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=evaluator.lr, momentum=0.9)
    rows = trial.batch.support.rows[episode]
    inputs = torch.stack([world.backbone.preprocess(trial.batch.support.images[int(r)]) for r in rows])
    modes[evaluator.batchnorm]()
    for _ in range(evaluator.steps):
        loss = nn.functional.cross_entropy(head(network(inputs)), trial.batch.support_labels[episode])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        queries = torch.stack(
            [world.backbone.preprocess(trial.query.images[int(r)]) for r in trial.query.rows[episode]]
        )
        return head(network(queries))


@pytest.mark.parametrize(
    "evaluator",
    [
        FineTune(steps=8),
        FineTune(steps=8, batchnorm="support"),
        FineTune("head", 30, 0.1),
        FineTune("last 1", 8),
        FineTune("norm", 8),
    ],
    ids=repr,
)
def test_it_is_the_plain_loop(evaluator):
    world = PictureWorld()
    trial = world.trial(0)
    found = world.logits(evaluator, trial.batch, trial.query)
    for episode in range(3):
        torch.testing.assert_close(found[episode], plain_loop(world, trial, episode, evaluator), rtol=1e-4, atol=1e-5)


def test_tuning_the_last_block_leaves_the_others_as_they_are():
    world = PictureWorld()
    trial = world.trial(0)
    head = FineTune("last 1", steps=3, lr=0.1).fit(trial.batch, world.backbone)
    before, after = world.backbone.network.state_dict(), head.networks[0].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"4.weight", "4.bias"}


def test_batchnorm_statistics_move_only_when_asked_and_only_in_a_copy():
    world = PictureWorld()
    trial = world.trial(0)
    kept = world.backbone.network[1].running_mean.clone()
    for mode in ("frozen", "support"):
        tuned = FineTune(steps=2, batchnorm=mode).fit(trial.batch, world.backbone).networks[0]
        assert torch.equal(tuned[1].running_mean, kept) == (mode == "frozen")
        assert torch.equal(world.backbone.network[1].running_mean, kept)


def test_probing_then_tuning_starts_at_the_probe():
    world = PictureWorld()
    trial = world.trial(0)
    probe = FineTune(start="probe", probe_C=0.1, steps=1, lr=1e-9).fit(trial.batch, world.backbone)
    inputs = torch.stack([world.backbone.preprocess(trial.query.images[int(r)]) for r in trial.query.rows[1]])
    oracle = LinearProbe(C=0.1).fit(replace(trial.batch, support=features(world, trial.batch.support)))
    torch.testing.assert_close(
        probe(trial.query)[1], oracle(world.backbone.embed(inputs).expand(3, -1, -1))[1], rtol=1e-3, atol=1e-4
    )
    assert probe.converged.all()
    assert FineTune(steps=1).fit(trial.batch, world.backbone).converged is None


def features(world, rows):
    return torch.stack(
        [
            world.backbone.embed(torch.stack([world.backbone.preprocess(i) for i in rows.decode(e, range(12))]))
            for e in range(3)
        ]
    )


def test_tuning_past_the_last_finite_loss_is_told():
    world = PictureWorld()
    with pytest.raises(ValueError, match=r"the loss is not finite at step \d+ of 50, at a learning rate of 1e\+30"):
        FineTune(lr=1e30).fit(world.trial(0).batch, world.backbone)


@pytest.mark.parametrize("tune", ["all", "head"])
def test_whoever_watches_is_told_every_step(tune):
    world, told = PictureWorld(), []
    batch = replace(world.trial(0, n_episodes=1).batch, watch=lambda *done: told.append(done))
    FineTune(tune, steps=3).fit(batch, world.backbone)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_large_step_adds_up_what_its_parts_give():
    world = PictureWorld()
    trial = world.trial(0, n_episodes=1, k_shot=50)
    found = world.logits(FineTune(steps=3), trial.batch, trial.query)
    torch.testing.assert_close(found[0], plain_loop(world, trial, 0, FineTune(steps=3)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "evaluator",
    [
        FineTune("head", 10, 0.1, batch_size=4),
        FineTune("last 1", 10, 0.05, optimizer="adam"),
        FineTune("head", 3, 0.1, augment="crop+flip", start="prototypes"),
    ],
    ids=lambda e: e.tune + e.augment,
)
def test_a_run_computes_what_stands_still_once_and_finds_the_same(evaluator):
    made, solved = by_learner(evaluator)
    assert made.frozen.values.shape == (120, 12 if evaluator.tune == "head" else 512)
    anew = solve(EPISODES, replace(made, frozen=None))
    np.testing.assert_allclose(solved.logits.astype(float), anew.logits.astype(float), rtol=2e-3, atol=2e-3)
    made.frozen.values.fill_(0)  # it is really used
    assert not np.array_equal(solve(EPISODES, made).logits, solved.logits)


def test_a_network_that_is_tuned_from_its_first_layer_has_nothing_to_compute_once():
    assert by_learner(FineTune(steps=1))[0].frozen is None


def test_heads_are_tuned_together_within_the_budget_and_networks_one_by_one():
    head = ImageLearner(FineTune("head"), IMAGES, PictureWorld().backbone)
    few, many = (head.batch_and_chunk(25, 75, 5, budget)[0] for budget in (1 << 14, 1 << 24))
    assert 1 <= few < many
    network = ImageLearner(FineTune("last 1"), IMAGES, PictureWorld().backbone)
    assert network.batch_and_chunk(25, 75, 5, 1 << 24) == (1, 64)
    one, seven = (by_learner(FineTune("head", 10, 0.1), budget)[1] for budget in (1, 1 << 24))
    np.testing.assert_allclose(one.logits.astype(float), seven.logits.astype(float), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tune": "first 2"}, "must be 'all', 'head', 'norm' or 'last k'"),
        ({"optimizer": "lbfgs"}, "must be one of sgd, adam, adamw"),
        ({"batchnorm": "train"}, "must be one of frozen, support"),
        ({"steps": 0}, "The .steps. parameter of FineTune must be an integer of at least 1. Got 0 instead"),
        ({"steps": 2.0}, "'steps' parameter of FineTune must be an integer of at least 1. Got 2.0 instead"),
        (
            {"batch_size": 0},
            "'batch_size' parameter of FineTune must be an integer of at least 1, or None. Got 0 instead",
        ),
        ({"lr": 0.0}, "'lr' parameter of FineTune must be a positive number"),
        ({"lr": "fast"}, "Got 'fast' instead"),
        ({"weight_decay": -1.0}, "'weight_decay' parameter of FineTune must be a number of at least 0"),
        ({"tune": None}, "Got None instead"),
        (
            {"schedule": "linear"},
            "'schedule' parameter of FineTune must be one of constant, cosine, step. Got 'linear' instead",
        ),
        (
            {"warmup": 50},
            "'warmup' parameter of FineTune must be an integer of at least 0, below 'steps'. Got 50 instead",
        ),
        ({"start": "ones"}, "'start' parameter of FineTune must be one of zero, prototypes, probe. Got 'ones' instead"),
        ({"probe_C": 0}, "'probe_C' parameter of FineTune must be a positive number. Got 0 instead"),
        ({"augment": "blur"}, "'augment' parameter of FineTune must be one of none, flip, crop, "),
        ({"clip_norm": -1.0}, "'clip_norm' parameter of FineTune must be a positive number, or None. Got -1.0 instead"),
        ({"steps": True}, "Got True instead"),
        ({"tune": "last 99"}, "needs 99 blocks, but the network has"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    world = PictureWorld()
    with pytest.raises(ValueError, match=message):
        FineTune(**fields).fit(world.trial(0).batch, world.backbone)
