"""A network in training is looked at and left as it is."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from torch import nn

import fewshot
from fewshot.backbones import weights_digest
from fewshot.backbones._live import live_backbone
from fewshot.files.atomic import home
from tests.support.checkout import DOCS


def as_input(image):
    return torch.from_numpy(np.array(image, dtype=np.float32)).permute(2, 0, 1) / 255


@pytest.fixture(scope="module")
def images():
    generator = np.random.default_rng(0)
    levels = np.repeat(generator.integers(40, 215, size=(6, 1, 1, 3)), 10, axis=0)
    pixels = np.clip(levels + generator.normal(size=(60, 16, 16, 3)) * 30, 0, 255).astype(np.uint8)
    labels = np.repeat(np.arange(6), 10)
    return fewshot.LabelledImages("colours", fewshot.ArrayImages(pixels), labels, tuple("abcdef"), "digest")


@pytest.fixture
def episodes(images):
    return fewshot.Balanced().sample(images, np.arange(6), fewshot.EpisodeShape(3, 2, 4), 0, 0, 30)


@pytest.fixture
def network():
    made = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    made.train()
    made[1].eval()  # a part that its owner froze
    return made


def states():
    return torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()


@pytest.mark.parametrize("evaluator", ["Prototype()", "FineTune(steps=2)"])
def test_mode_weights_and_generators_are_as_before(network, images, episodes, evaluator):
    modes, weights, before = [m.training for m in network.modules()], weights_digest(network.state_dict()), states()
    grads = [p.requires_grad for p in network.parameters()]
    row = fewshot.evaluate(network, images, episodes, evaluator, preprocess=as_input, progress=False)
    assert row.accuracy > 1 / 3
    assert row.weights_digest == weights == weights_digest(network.state_dict())
    assert [m.training for m in network.modules()] == modes
    assert [p.requires_grad for p in network.parameters()] == grads
    torch_state, numpy_state, python_state = states()
    assert torch.equal(torch_state, before[0])
    assert np.array_equal(numpy_state, before[1])
    assert python_state == before[2]


def test_the_row_is_that_of_the_same_network_in_eval_mode(network, images, episodes):
    live = fewshot.evaluate(network, images, episodes, preprocess=as_input, progress=False)
    still = fewshot.evaluate(network.eval(), images, episodes, preprocess=as_input, progress=False)
    assert (live.accuracy, live.episodes_digest) == (still.accuracy, still.episodes_digest)


def test_training_goes_on_after_a_look(network, images, episodes):
    head = nn.Linear(8, 6)
    fewshot.evaluate(network, images, episodes, preprocess=as_input, progress=False)
    before = network[1].weight.detach().clone()
    inputs = torch.stack([as_input(images.images[row]) for row in range(0, 60, 6)])
    nn.functional.cross_entropy(head(network(inputs)), torch.arange(10) % 6).backward()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    assert not torch.equal(before, network[1].weight)


def test_features_of_a_live_network_are_not_kept(network, images, episodes):
    fewshot.evaluate(network, images, episodes, preprocess=as_input, progress=False)
    assert not (home() / "features").exists()


def test_the_mode_is_restored_after_an_error(network):
    modes = [m.training for m in network.modules()]
    with pytest.raises(RuntimeError, match="in the middle"), live_backbone(network, as_input):
        raise RuntimeError("in the middle")
    assert [m.training for m in network.modules()] == modes


def test_a_network_of_timm_brings_its_preprocessing(images, episodes):
    network = timm.create_model("resnet10t", num_classes=0).train()
    assert fewshot.evaluate(network, images, episodes, "Prototype()", progress=False).dim == network.num_features
    assert network.training


def test_a_network_of_timm_with_its_classifier_is_a_warning(caplog):
    with live_backbone(timm.create_model("resnet10t", num_classes=1000)):
        pass
    assert "gives the 1,000 logits of its classifier, not features" in caplog.text
    caplog.clear()
    with live_backbone(timm.create_model("resnet10t", num_classes=0)):
        pass
    assert not caplog.text


def test_another_network_has_to_say_how_inputs_are_made(network, images, episodes):
    with pytest.raises(ValueError, match=r"Sequential has no preprocessing of its own; give preprocess="):
        fewshot.evaluate(network, images, episodes)


def test_a_network_that_gives_maps_is_told(images, episodes):
    with pytest.raises(ValueError, match=r"features of shape \(2, 4, .*one vector an image is needed"):
        fewshot.evaluate(nn.Conv2d(3, 4, 3), images, episodes, preprocess=as_input)


def test_a_network_without_features_is_refused(images, episodes):
    class Nothing(nn.Module):
        def forward(self, inputs):
            return inputs.flatten(1)[:, :0]

    with pytest.raises(ValueError, match=r"gives no feature for an image, shape \(2, 0\)"):
        fewshot.evaluate(Nothing(), images, episodes, preprocess=as_input)


@pytest.mark.slow
def test_the_training_example_runs(tmp_path):
    example = DOCS / "training_curve.py"
    text = (
        example.read_text()
        .replace("EPOCHS = 6", "EPOCHS = 1")
        .replace("images.labels, seen))", "images.labels, seen))[::20]")
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "epoch 0, 1 shot" in done.stdout
    assert (tmp_path / "training_curve.png").stat().st_size > 5000
