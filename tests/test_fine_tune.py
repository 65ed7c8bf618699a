"""FineTune against a plain training loop."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn

from fewshot.evaluators.fine_tune import FineTune, last_blocks, mini_batches
from fewshot.laws import PictureWorld


def plain_loop(world, trial, episode, evaluator):
    """Logits of an episode by the loop that everybody writes: the whole support at every step."""
    network = copy.deepcopy(world.backbone.network).requires_grad_(evaluator.tune == "all")
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
    "evaluator", [FineTune(steps=8), FineTune(steps=8, batchnorm="support"), FineTune("head", 30, 0.1)], ids=repr
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
    before, after = world.backbone.network.state_dict(), head.networks[0][0].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"4.weight", "4.bias"}


def test_batchnorm_statistics_move_only_when_asked_and_only_in_a_copy():
    world = PictureWorld()
    trial = world.trial(0)
    kept = world.backbone.network[1].running_mean.clone()
    for mode in ("frozen", "support"):
        tuned = FineTune(steps=2, batchnorm=mode).fit(trial.batch, world.backbone).networks[0][0]
        assert torch.equal(tuned[1].running_mean, kept) == (mode == "frozen")
        assert torch.equal(world.backbone.network[1].running_mean, kept)


def test_mini_batches_go_through_every_row_before_they_repeat_one():
    batches = list(mini_batches(10, 4, 5, seed=3))
    assert [len(b) for b in batches] == [4] * 5
    drawn = torch.cat(batches)
    assert sorted(drawn[:10].tolist()) == sorted(drawn[10:].tolist()) == list(range(10))
    assert all(torch.equal(a, b) for a, b in zip(batches, mini_batches(10, 4, 5, seed=3), strict=True))
    assert not torch.equal(drawn, torch.cat(list(mini_batches(10, 4, 5, seed=4))))


@pytest.mark.parametrize("batch_size", [None, 10, 64])
def test_a_mini_batch_that_holds_everything_is_the_whole_support(batch_size):
    assert all(b.tolist() == list(range(10)) for b in mini_batches(10, batch_size, 3, seed=0))


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "test_vit"])
def test_last_blocks_are_timms_layer_groups(name):
    network = timm.create_model(name, num_classes=0)
    names = [n for n, _ in network.named_parameters()]
    one, two = set(last_blocks(network, 1)), set(last_blocks(network, 2))
    assert one < two < set(names)
    assert not any(n.startswith(("conv1", "conv_stem", "patch_embed")) for n in two)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tune": "first 2"}, "must be 'all', 'head' or 'last k'"),
        ({"optimizer": "lbfgs"}, "must be one of sgd, adam, adamw"),
        ({"batchnorm": "train"}, "must be one of frozen, support"),
        ({"steps": 0}, "The .steps. of FineTune must be an integer of at least 1. Got 0 instead"),
        ({"steps": 2.0}, "'steps' of FineTune must be an integer of at least 1. Got 2.0 instead"),
        ({"batch_size": 0}, "'batch_size' of FineTune must be an integer of at least 1, or None. Got 0 instead"),
        ({"lr": 0.0}, "'lr' of FineTune must be a positive float"),
        ({"lr": "fast"}, "Got 'fast' instead"),
        ({"weight_decay": -1.0}, "'weight_decay' of FineTune must be a float of at least 0"),
        ({"tune": None}, "Got None instead"),
        ({"tune": "last 99"}, "asks for 99 blocks, but the network has"),
    ],
)
def test_wrong_hyperparameters_are_named(fields, message):
    world = PictureWorld()
    with pytest.raises(ValueError, match=message):
        FineTune(**fields).fit(world.trial(0).batch, world.backbone)
