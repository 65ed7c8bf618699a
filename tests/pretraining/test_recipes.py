"""What each recipe computes, against direct computations."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from fewshot.backbones import freeze
from fewshot.backbones.conv_net import ConvNet
from fewshot.backbones.pretrained import Pretrained
from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.proto_maml import ProtoMAML
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.plugins.registry import BACKBONES
from fewshot.pretraining import Setting
from fewshot.pretraining.anil import ANIL
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.pretraining.episodic import Episodic
from fewshot.pretraining.maml import MAML
from fewshot.pretraining.supervised_contrastive import SupervisedContrastive, contrastive_loss
from fewshot.pretraining.tuned import Tuned
from tests.support.trained_networks import DATA, NET, TRAINER, trained

GROUPED = ConvNet(width=4, depth=2, image_size=16, norm="group")
TASK = {"steps": 2, "n_way": 3, "k_shot": 2, "n_query": 2, "augment": "none"}


def setting(net: ConvNet, seed: int = 0) -> Setting:
    """A network ready to be trained, and what it is trained on."""
    backbone = net.load()
    backbone.network.train().requires_grad_(True)
    return Setting(backbone, TRAINER.material(Pretrained(net, DATA, CrossEntropy())), seed)


def inputs(made: Setting, rows: np.ndarray) -> torch.Tensor:
    return torch.stack([made.backbone.preprocess(made.material.train.images[int(row)]) for row in rows.reshape(-1)])


def test_the_contrastive_loss_is_that_of_the_paper():
    random = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(8, 5, generator=random, dtype=torch.float64), dim=1)
    labels, t = torch.tensor([0, 1, 0, 2, 1, 2, 0, 1]), 0.3
    total = 0.0
    for i in range(8):
        others = [a for a in range(8) if a != i]
        positives = [p for p in others if labels[p] == labels[i]]
        below = sum(torch.exp(z[i] @ z[a] / t) for a in others)
        total += -sum(torch.log(torch.exp(z[i] @ z[p] / t) / below) for p in positives) / len(positives)
    assert contrastive_loss(z, labels, t).item() == pytest.approx(float(total) / 8, rel=1e-12)


def test_contrast_sees_two_views_of_each_image_and_no_head_stays():
    source = trained(Pretrained(NET, DATA, SupervisedContrastive(steps=4, batch_size=10, projection=6)))
    assert source.record.images_processed == 4 * 10 * 2
    assert source.record.seen_loss is None
    assert 0 <= source.record.seen_error < 1
    assert source.load().dim == NET.load().dim


def test_the_episodic_loss_is_that_of_the_nearest_mean():
    made = setting(GROUPED)
    objective = Episodic(**TASK).objective(made)
    support, query = objective._tasks.rows(1)
    labels = made.material.train.labels
    assert (labels[support] == labels[support[:, :1]]).all()
    assert (labels[query] == labels[support[:, :1]]).all()
    known, asked = (made.backbone.network(inputs(made, rows)) for rows in (support, query))
    means = known.view(3, 2, -1).mean(1)
    expected = cross_entropy(-(torch.cdist(asked, means) ** 2), torch.arange(3).repeat_interleave(2))
    assert objective.loss(1).item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize(("recipe", "body"), [(MAML, True), (ANIL, False)])
def test_a_task_adapts_as_the_evaluator_does(recipe, body):
    made = setting(GROUPED)
    objective = recipe(**TASK, tasks_per_step=1, inner_steps=3, inner_lr=0.02).objective(made)
    support, query = objective._tasks.rows(1)
    loss = objective.loss(1)
    freeze(made.backbone.network)
    images = made.material.train.images
    rows, asked = (torch.from_numpy(r.reshape(1, -1)) for r in (support, query))
    batch = EpisodeBatch(
        ImageRows(images, rows), torch.arange(3).repeat_interleave(2)[None], torch.ones(1, 6, dtype=torch.bool),
        n_way=3, seeds=torch.zeros(1, dtype=torch.int64),
    )  # fmt: skip
    head = ProtoMAML(steps=3, lr=0.02, body=body).fit(batch, made.backbone)
    logits = head(ImageRows(images, asked))[0]
    assert cross_entropy(logits, torch.arange(3).repeat_interleave(2)).item() == pytest.approx(loss.item(), rel=1e-4)


@pytest.mark.parametrize("first_order", [False, True])
def test_the_gradient_of_maml_is_that_of_the_adapted_loss(first_order):
    made = setting(GROUPED)
    recipe = MAML(**TASK, tasks_per_step=1, inner_steps=1, inner_lr=0.05, first_order=first_order)
    objective = recipe.objective(made)
    support, query = (inputs(made, rows) for rows in objective._tasks.rows(0))
    labels = torch.arange(3).repeat_interleave(2)
    network = made.backbone.network
    weights = dict(network.named_parameters())
    means = network(support).view(3, 2, -1).mean(1)
    head = [2 * means, -means.square().sum(1)]
    copies = {name: value.clone() for name, value in weights.items()}  # the inner step does not move the prototypes
    inner = cross_entropy(functional_call(network, copies, (support,)) @ head[0].T + head[1], labels)
    moved = [*copies.values(), *head]
    steps = torch.autograd.grad(inner, moved, create_graph=not first_order, retain_graph=True)
    new = [value - 0.05 * step for value, step in zip(moved, steps, strict=True)]
    answers = functional_call(network, dict(zip(weights, new, strict=False)), (query,)) @ new[-2].T + new[-1]
    expected = torch.autograd.grad(cross_entropy(answers, labels), list(weights.values()))
    found = torch.autograd.grad(objective.loss(0), list(weights.values()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_running_statistics_follow_the_tasks():
    made = setting(NET)
    before = made.backbone.network[0][1].running_mean.clone()
    MAML(**TASK, inner_steps=1).objective(made).loss(0)
    assert not torch.equal(made.backbone.network[0][1].running_mean, before)


def test_without_learn2learn_it_is_told_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "learn2learn.algorithms", None)
    with pytest.raises(ValueError, match=r"learn2learn, which is not installed; run \.ci/install_learn2learn"):
        TRAINER.ready(Pretrained(NET, DATA, MAML(**TASK)))


@pytest.mark.parametrize("recipe", [Episodic, MAML, ANIL])
def test_too_few_images_for_an_episode_are_told(recipe):
    with pytest.raises(ValueError, match=r"k_shot \+ n_query = 4 images"):
        TRAINER.ready(Pretrained(NET, DATA, recipe(**TASK), n_images=7 * 3))
    with pytest.raises(ValueError, match="9-way episodes need more classes than the 7"):
        TRAINER.ready(Pretrained(NET, DATA, recipe(**{**TASK, "n_way": 9})))


def test_tuning_tries_equally_often_and_keeps_the_least_validation_loss():
    inner = CrossEntropy(epochs=2, batch_size=12)
    recipe = Tuned(inner, lr=(0.0001, 0.05), weight_decay=(0.0, 0.001))
    source = trained(Pretrained(NET, DATA, recipe, n_images=42))
    trials = [replace(source, recipe=trial) for trial in recipe.trials()]
    losses = [trial.record.validation_loss for trial in trials]
    record = source.record
    assert record.validation_loss == min(losses)
    assert record.weights_digest == trials[losses.index(min(losses))].record.weights_digest
    assert (record.n_trials, record.rule) == (4, "tuned")
    assert record.all_images_processed == 4 * 7 * 12
    assert "lr=0.05" in record.chosen
    assert source.load().weights_digest == record.weights_digest
    assert BACKBONES.make(BACKBONES.canonical(source)) == source
    with pytest.raises(
        ValueError, match=r"The 'inner' parameter of Tuned must be a recipe that can stop on validation images"
    ):
        Tuned(Episodic())
    with pytest.raises(ValueError, match="'lr' parameter of Tuned must be a tuple of at least one positive number"):
        Tuned(inner, lr=())


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (
            lambda: SupervisedContrastive(augment="none"),
            "The 'augment' parameter of SupervisedContrastive must be an augmentation, because two views",
        ),
        (
            lambda: SupervisedContrastive(temperature=0.0),
            "The 'temperature' parameter of SupervisedContrastive must be a positive number",
        ),
        (
            lambda: Episodic(n_way=1),
            "The 'n_way' parameter of Episodic must be an integer of at least 2. Got 1 instead",
        ),
        (lambda: MAML(inner_lr=-1.0), "The 'inner_lr' parameter of MAML must be a positive number. Got -1.0 instead"),
        (lambda: ANIL(tasks_per_step=0), "The 'tasks_per_step' parameter of ANIL must be an integer of at least 1"),
    ],
)
def test_wrong_fields_are_told(recipe, text):
    with pytest.raises(ValueError, match=text):
        recipe()
