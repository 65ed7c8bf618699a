"""Adapters of tuning: the identity at the start, closed forms, parallel convolutions, and networks that stand still."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torch.nn.functional import conv2d, cosine_similarity, cross_entropy, softmax

from fewshot.backbones import weights_digest
from fewshot.conformance import PictureWorld
from fewshot.evaluators.lora import LoRA
from fewshot.evaluators.scale_and_shift import ScaleAndShift
from fewshot.evaluators.task_specific_adapters import TaskSpecificAdapters
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.adapters import add_residual, add_scale_and_shift
from fewshot.evaluators.tuning.centroids import _backward, centroid_weights
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.low_rank import LowRank, add_low_rank, drop_out
from fewshot.runs.solving import solve
from tests.support.tuned_pictures import EPISODES, by_learner

TINY_VIT = {"img_size": 8, "patch_size": 4, "embed_dim": 24, "depth": 2, "num_heads": 2}


def made(name, **fields):
    """A network of timm with random weights; nothing is drawn from the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return timm.create_model(name, num_classes=0, **fields).eval().requires_grad_(False)


def tiny_vit():
    return made("vit_tiny_patch16_224", **TINY_VIT)


def tiny_convnext():
    sizes = {"depths": (1, 1, 1, 1), "dims": (8, 8, 8, 16), "patch_size": 1}
    return made("convnext_atto", **sizes, conv_mlp=False, ls_init_value=1.0)


def low_rank(network, layers="qkv", seed=0, dropout=0.0):
    return add_low_rank(network, layers, rank=2, alpha=3.0, dropout=dropout, seed=seed)


CHANGES = {
    "LoRA on a ViT": (tiny_vit, low_rank),
    "LoRA on all of a ViT": (tiny_vit, lambda network: low_rank(network, "all")),
    "LoRA on a ConvNeXt": (tiny_convnext, lambda network: low_rank(network, "all")),
    "residuals on a ConvNeXt": (tiny_convnext, lambda network: add_residual(network, stem=True)),
    "residuals on a ResNet": (lambda: made("test_resnet"), lambda network: add_residual(network, stem=False)),
    "scales on a ResNet": (lambda: made("test_resnet"), add_scale_and_shift),
    "scales on a ConvNeXt": (tiny_convnext, add_scale_and_shift),
}


@pytest.mark.parametrize("case", CHANGES)
def test_it_starts_as_the_identity_shares_the_weights_and_has_gradients(case):
    make, change = CHANGES[case]
    network = make()
    before, size = weights_digest(network.state_dict()), 8 if "ViT" in case else 32
    inputs = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    copied, trained = Tuning(lambda given, _: change(given), Descent([0.1])).changed(network)
    features = copied(inputs)
    torch.testing.assert_close(features, network(inputs), rtol=1e-5, atol=1e-6)
    held = {p.data_ptr() for p in network.parameters()}
    assert held <= {p.data_ptr() for p in copied.parameters()}
    assert {id(p) for p in copied.parameters() if p.requires_grad} == {id(p) for p in trained}
    features.square().sum().backward()
    assert all(p.grad is not None for p in trained)
    assert weights_digest(network.state_dict()) == before


def test_counts_of_parameters_are_those_of_the_papers():
    def count(parameters):
        return sum(p.numel() for p in parameters)

    assert count(low_rank(tiny_vit())) == 2 * 3 * 2 * (24 + 24)  # blocks, matrices, rank, rows + columns
    assert count(low_rank(tiny_vit(), "qv")) == 2 * 2 * 2 * (24 + 24)
    assert count(low_rank(tiny_vit(), "o")) == 2 * 2 * (24 + 24)
    assert count(low_rank(tiny_vit(), "all")) == 2 * 2 * (24 + 72 + 24 + 24 + 2 * (24 + 96))
    network = made("resnet18")
    larger = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)][1:]
    assert count(add_residual(network, stem=False)) == sum(m.in_channels * m.out_channels for m in larger)
    network = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.Conv2d(6, 5, 1, bias=False))
    assert count(add_scale_and_shift(network)) == 6 * 2 + 6 + 5 * 6 + 5


@pytest.mark.parametrize("layers", ["qkv", "qv", "k"])
def test_a_fused_layer_has_a_product_of_its_own_for_each_letter(layers):
    attention = tiny_vit().blocks[0].attn
    weight = attention.qkv.weight.clone()
    down, up = low_rank(attention, layers)
    assert (down.abs() <= 24**-0.5).all()
    with torch.no_grad():
        up.normal_(generator=torch.Generator().manual_seed(0))
    for block, letter in enumerate("qkv"):
        rows, wanted = slice(24 * block, 24 * block + 24), torch.zeros(24, 24)
        if letter in layers:
            position = layers.index(letter)
            wanted = 3.0 / 2 * up[position] @ down[position]
        torch.testing.assert_close(attention.qkv.weight[rows] - weight[rows], wanted, rtol=1e-4, atol=1e-6)


def test_one_step_on_a_linear_layer_is_the_one_written_by_hand():
    generator = torch.Generator().manual_seed(0)
    weight, inputs = (torch.randn(3, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    layer, labels = nn.Linear(4, 3, bias=False, dtype=torch.float64), torch.tensor([0, 2, 1])
    layer.weight.data.copy_(weight)
    layer.requires_grad_(False)
    down, up = low_rank(nn.Sequential(layer), "all")
    with torch.no_grad():
        up.normal_(generator=generator)
    A, B, scale = down[0].detach().clone(), up[0].detach().clone(), 3.0 / 2
    optimizer = torch.optim.SGD([down, up], lr=0.1)
    cross_entropy(layer(inputs), labels).backward()
    optimizer.step()
    chances = softmax(inputs @ (weight + scale * B @ A).T, dim=1)
    gradient = (chances - torch.eye(3, dtype=torch.float64)[labels]).T @ inputs / 3  # of the adapted weight
    torch.testing.assert_close(up[0].detach(), B - 0.1 * scale * gradient @ A.T)
    torch.testing.assert_close(down[0].detach(), A - 0.1 * scale * B.T @ gradient)
    torch.testing.assert_close(layer.parametrizations.weight.original, weight, rtol=0, atol=0)


def test_the_projections_of_torchs_own_attention_are_adapted():
    attention = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    down, up = low_rank(attention, "qv")
    assert (down.shape, up.shape) == ((2, 2, 8), (2, 8, 2))
    x = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(0))
    before = attention(x, x, x)[0]
    with torch.no_grad():
        up.fill_(1)
    assert not torch.allclose(attention(x, x, x)[0], before)
    assert len(low_rank(nn.MultiheadAttention(8, 2), "all")) == 4


def test_a_layer_whose_weight_is_read_and_not_called_is_adapted():
    network = made("beit_base_patch16_224", **{**TINY_VIT, "depth": 1})
    inputs = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    before, parameters = network(inputs), low_rank(network)
    with torch.no_grad():
        parameters[1].fill_(1)
    assert not torch.allclose(network(inputs), before)


def test_dropout_hides_inputs_while_tuning_by_the_seed_alone():
    def weights(seed, training=True):
        layer = nn.Linear(400, 3)
        layer.weight.data.zero_()
        _, up = low_rank(nn.Sequential(layer), "all", seed=seed, dropout=0.25)
        up.data.fill_(1)
        layer.parametrizations.weight[0].train(training)
        return layer.weight.detach(), layer.weight.detach()

    first, second = weights(0)
    assert abs((first == 0).float().mean().item() - 0.25) < 0.1
    assert not torch.equal(first, second)
    assert all(map(torch.equal, weights(0), weights(0)))
    whole = weights(0, training=False)[0]
    assert (whole != 0).all()
    torch.testing.assert_close(first[first != 0], whole[first != 0] / 0.75)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 6, 3, padding=1),
        nn.Conv2d(4, 6, 3, padding=1, stride=2, bias=False),
        nn.Conv2d(4, 8, 5, padding=2, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4),
    ],
    ids=str,
)
def test_a_residual_is_a_parallel_convolution_of_one_pixel(convolution):
    inputs = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(0))
    before = convolution(inputs)
    (matrix,) = add_residual(nn.Sequential(convolution), stem=True)
    with torch.no_grad():
        matrix.normal_(generator=torch.Generator().manual_seed(1))
    beside = conv2d(inputs, matrix, stride=convolution.stride, groups=convolution.groups)
    torch.testing.assert_close(convolution(inputs), before + beside, rtol=1e-4, atol=1e-5)


def test_scales_multiply_weights_and_shifts_add_to_biases():
    network = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, stride=2), nn.Conv2d(6, 2, 1, bias=False))
    weights, bias = [m.weight.detach().clone() for m in network], network[0].bias.detach().clone()
    trained = add_scale_and_shift(network)
    with torch.no_grad():
        for parameter in trained:
            parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
    scale, shift, second_scale, second_shift = trained
    inputs = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(0))
    middle = conv2d(inputs, weights[0] * scale, bias + shift, stride=2, groups=2)
    torch.testing.assert_close(network(inputs), conv2d(middle, weights[1] * second_scale, second_shift))


EVALUATORS = [
    LoRA("all", steps=3, dropout=0.5),
    ScaleAndShift(steps=3),
    TaskSpecificAdapters(steps=3, stem=True),
]


@pytest.mark.parametrize("evaluator", EVALUATORS, ids=lambda e: type(e).__name__)
def test_a_tuned_network_costs_its_adapters_alone(evaluator):
    world = PictureWorld()
    networks = evaluator.fit(world.trial(0).batch, world.backbone).networks
    given = {p.data_ptr() for p in world.backbone.network.parameters()}
    own = [{p.data_ptr(): p for p in n.parameters() if p.data_ptr() not in given} for n in networks]
    assert not set(own[0]) & set(own[1])
    for parameters in own:
        assert 0 < sum(p.numel() for p in parameters.values()) < world.backbone.network[4].weight.numel()
    assert not any(module.training for n in networks for module in n.modules())
    moved = [p for n in networks for p in n.parameters() if p.data_ptr() not in given and p.ndim > 1]
    assert all(bool(p.any()) for p in moved)


def plain_tsa(world, trial, episode, evaluator):
    """Logits of an episode by the loop that the authors write: convolutions beside the given ones, and a map."""
    network = world.backbone.network
    beside, mapping = nn.Parameter(torch.zeros(8, 3, 1, 1)), nn.Parameter(torch.eye(12))
    rows, labels = trial.batch.support.rows[episode], trial.batch.support_labels[episode]
    images = [world.backbone.preprocess(trial.batch.support.images[int(r)]) for r in rows]
    groups = [{"params": [beside]}, {"params": [mapping], "lr": evaluator.map_lr}]
    optimizer = torch.optim.Adadelta(groups, lr=evaluator.lr)

    def features(inputs):
        return network[1:](network[0](inputs) + conv2d(inputs, beside)) @ mapping.T

    def logits(inputs):
        support = features(torch.stack(images))
        centroids = torch.stack([support[labels == c].mean(0) for c in range(3)])
        return 10 * cosine_similarity(features(inputs)[:, None], centroids[None], dim=2)

    for _ in range(evaluator.steps):
        optimizer.zero_grad()
        cross_entropy(logits(torch.stack(images)), labels).backward()
        optimizer.step()
    with torch.no_grad():
        return logits(torch.stack([world.backbone.preprocess(i) for i in trial.query.decode(episode, range(15))]))


def test_task_specific_adapters_are_the_authors_loop():
    world, evaluator = PictureWorld(), TaskSpecificAdapters(steps=8, stem=True)
    trial = world.trial(0)
    found = world.logits(evaluator, trial.batch, trial.query)
    for episode in range(3):
        torch.testing.assert_close(found[episode], plain_tsa(world, trial, episode, evaluator), rtol=1e-3, atol=1e-3)


def test_a_large_support_has_the_same_gradient_in_parts():
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(11, 4, generator=generator, dtype=torch.float64), torch.arange(11) % 3
    weight = nn.Parameter(torch.randn(5, 4, generator=generator, dtype=torch.float64))
    found = []
    for at_once in (11, 4):
        weight.grad = None
        loss = _backward(lambda positions: (inputs[positions] @ weight.T).tanh(), labels, 3, at_once)
        found.append((loss, weight.grad))
    torch.testing.assert_close(found[0], found[1])


def test_a_centroid_head_ranks_by_the_cosine_to_the_mean():
    features, labels = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1, 1])
    means = torch.stack([features[labels == c].mean(0) for c in range(3)])
    unit = nn.functional.normalize(features, dim=1)
    wanted = 10 * cosine_similarity(features[:, None], means[None], dim=2)
    torch.testing.assert_close(unit @ centroid_weights(features, labels, 3), wanted)


@pytest.mark.parametrize(
    ("evaluator", "steps"),
    [
        (LoRA("all", steps=2), 2),
        (LoRA("all", steps=2, per_shot=True), 8),
        (TaskSpecificAdapters(steps=3, stem=True), 3),
    ],
    ids=repr,
)
def test_whoever_watches_is_told_every_step(evaluator, steps):
    world, told = PictureWorld(), []
    batch = replace(world.trial(0, n_episodes=1).batch, watch=lambda *done: told.append(done))
    evaluator.fit(batch, world.backbone)
    assert told == [(step + 1, steps) for step in range(steps)]


def test_a_run_computes_what_stands_still_once_and_finds_the_same():
    made_learner, solved = by_learner(LoRA("all", steps=6, dropout=0.25, lr=0.02, batch_size=4))
    assert made_learner.frozen.values.shape == (120, 512)
    anew = solve(EPISODES, replace(made_learner, frozen=None))
    np.testing.assert_allclose(solved.logits.astype(float), anew.logits.astype(float), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("network", "evaluator"),
    [
        (tiny_vit, LoRA("qkv", rank=4, steps=40, lr=0.01)),
        (tiny_vit, LoRA("all", rank=4, steps=40, lr=0.01)),
        (tiny_convnext, LoRA("all", rank=4, steps=40, lr=0.01)),
        (tiny_convnext, TaskSpecificAdapters(steps=40)),
        (tiny_convnext, ScaleAndShift(steps=40, lr=0.01, optimizer="adam")),
    ],
    ids=lambda x: x.__name__ if callable(x) else repr(x),
)
def test_accuracy_rises_while_it_tunes(network, evaluator):
    world = PictureWorld()
    world.backbone = replace(world.backbone, network=network(), dim=network().num_features)
    trial = world.trial(1, n_episodes=2, k_shot=8, n_query=20, separation=0.7)
    one, many = (
        (world.logits(way, trial.batch, trial.query).argmax(2) == trial.query_labels).double().mean().item()
        for way in (replace(evaluator, steps=1), evaluator)
    )
    assert many > one + 0.05


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        (LoRA(), r"LoRA\(layers='qkv'\) looked for linear layers of attention by their names \(qkv, kv, q, .*\), but "),
        (LoRA(), r"Sequential has none \(1 linear layers in all\); layers='all' adapts those"),
        (
            TaskSpecificAdapters(),
            r"looked for convolutions larger than 1 x 1 after the first, but Sequential has none \(1",
        ),
        (TaskSpecificAdapters(lr=1e30, map_lr=1e30, stem=True), "the loss is not finite at step"),
    ],
    ids=repr,
)
def test_what_cannot_be_is_one_sentence(evaluator, message):
    world = PictureWorld()
    with pytest.raises(ValueError, match=message):
        evaluator.fit(world.trial(0).batch, world.backbone)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: LoRA("qq"),
            "The 'layers' parameter of LoRA must be 'all', or some of the letters q, k, v and o. Got 'qq' instead",
        ),
        (lambda: LoRA("all", rank=0), "'rank' parameter of LoRA must be an integer of at least 1"),
        (lambda: LoRA("all", alpha=0.0), "'alpha' parameter of LoRA must be a positive number"),
        (
            lambda: LoRA("all", dropout=1.0),
            r"'dropout' parameter of LoRA must be a number in \[0, 1\). Got 1.0 instead",
        ),
        (lambda: LoRA("all", per_shot=1), "'per_shot' parameter of LoRA must be True or False"),
        (lambda: LoRA("all", start="ones"), "'start' parameter of LoRA must be one of zero, prototypes, probe"),
        (lambda: ScaleAndShift(lr=-1.0), "'lr' parameter of ScaleAndShift must be a positive number"),
        (
            lambda: ScaleAndShift(optimizer="lbfgs"),
            "'optimizer' parameter of ScaleAndShift must be one of sgd, adam, adamw",
        ),
        (
            lambda: TaskSpecificAdapters(steps=0),
            "'steps' parameter of TaskSpecificAdapters must be an integer of at least 1",
        ),
        (
            lambda: TaskSpecificAdapters(map_lr=math.inf),
            "'map_lr' parameter of TaskSpecificAdapters must be a positive number",
        ),
    ],
)
def test_wrong_hyperparameters_are_told(made, message):
    with pytest.raises(ValueError, match=message):
        made()


def test_a_network_without_convolutions_has_no_scales():
    with pytest.raises(ValueError, match="ScaleAndShift looked for convolutions, but Sequential has none; LoRA adapts"):
        add_scale_and_shift(nn.Sequential(nn.Linear(2, 2)))


def test_a_fused_layer_that_is_not_in_equal_blocks_is_told():
    attention = nn.Module()
    attention.qkv = nn.Linear(8, 20)
    with pytest.raises(
        ValueError, match=r"the layer 'qkv' of Module has 20 outputs, which are not 3 equal blocks; LoRA\(l"
    ):
        low_rank(attention)
    assert len(low_rank(attention, "all")) == 2


def test_nothing_but_low_rank_updates_is_in_training_mode():
    network = tiny_vit()
    low_rank(network)
    assert not any(module.training for module in network.modules())
    drop_out(network)
    assert [type(module) for module in network.modules() if module.training] == [LowRank] * 2
