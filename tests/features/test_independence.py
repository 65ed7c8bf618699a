"""The features of a user's network must be a function of the image, not of its batch or of chance."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import nn

import fewshot
from fewshot.backbones.function import Function
from fewshot.features.embedding import BATCH
from fewshot.features.table import feature_table
from tests.support.random_pixels import random_images


class Own(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer, self.sizes = answer, []

    def forward(self, inputs):
        self.sizes.append(len(inputs))
        return self.answer(inputs.flatten(1)[:, ::97])

    def __deepcopy__(self, _):
        return self


def as_input(image):
    return torch.from_numpy(np.array(image.resize((16, 16)), dtype=np.float32)).permute(2, 0, 1) / 255


def rows_of(network, count=30, **words):
    images = random_images(count).images
    images = fewshot.LabelledImages("noise", images, np.arange(count) % 3, ("a", "b", "c"), f"noise {count}")
    words = {"shots": 2, "ways": 3, "queries": 3, "n_episodes": 5, "preprocess": as_input} | words
    return fewshot.evaluate(network, images, progress=False, **words)


def as_function(answer):
    return lambda inputs: answer(inputs.flatten(1)[:, ::97])


CHANCE = "other features each time"
BATCHES = "other features alone than in a batch"
BROKEN = {
    "random features": (lambda x: torch.randn(len(x), 9), CHANCE),
    "a little noise": (lambda x: x + 0.05 * torch.randn_like(x), CHANCE),
    "dropout that is always on": (lambda x: nn.functional.dropout(x.repeat(1, 9), 0.2, training=True), CHANCE),
    "centred in the batch": (lambda x: x - x.mean(0), BATCHES),
    "whitened in the batch": (lambda x: (x - x.mean(0)) / (x.std(0, correction=0) + 1e-3), BATCHES),
    "largest of the batch": (lambda x: x / x.max(), BATCHES),
    "neighbours": (lambda x: x + x.roll(1, 0), BATCHES),
    "place in the batch": (lambda x: x + torch.arange(len(x))[:, None], BATCHES),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("wrap", [Own, as_function])
def test_features_that_depend_on_more_than_the_image_are_refused(case, wrap):
    answer, message = BROKEN[case]
    with pytest.raises(ValueError, match=message):
        rows_of(wrap(answer))


GOOD = {
    "pixels": lambda x: x,
    "normed": lambda x: nn.functional.normalize(x),
    "an offset far larger than the features": lambda x: x + 1e4,
    "rounding that depends on the batch": lambda x: x * (1 + 1e-6 * len(x)),
    "zeros": torch.zeros_like,
    "numpy": lambda x: torch.from_numpy(np.sqrt(x.numpy())),
}


@pytest.mark.parametrize("case", GOOD)
@pytest.mark.filterwarnings("ignore")
def test_other_networks_pass_with_three_small_forwards_more(case):
    network = Own(GOOD[case])
    rows_of(network, count=2 * BATCH + 3, n_episodes=60)
    assert [size for size in network.sizes if size == 1] == [1, 1]
    assert sum(network.sizes) <= 3 * BATCH + 12


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_networks_of_timm_pass_as_own_ones(dtype):
    network = timm.create_model("test_vit", num_classes=0)
    assert rows_of(network, dtype=dtype, preprocess=lambda image: as_input(image.resize((160, 160)))).accuracy >= 0


def test_a_batch_norm_without_running_statistics_is_refused():
    norm = nn.BatchNorm2d(4, track_running_stats=False)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), norm, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ValueError, match=BATCHES):
        rows_of(network)


SOURCE = """
import torch
from torch import nn

class Net(nn.Module):
    def forward(self, x):
        x = x.flatten(1)[:, ::997]
        return {}

def make():
    return Net()
"""


@pytest.mark.parametrize(("answer", "message"), [("torch.randn(len(x), 9)", CHANCE), ("x - x.mean(0)", BATCHES)])
def test_a_network_that_a_function_makes_is_checked(answer, message, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"dependent_{len(answer)}"
    (tmp_path / f"{name}.py").write_text(SOURCE.format(answer))
    backbone = Function(f"{name}:make", 32).load()
    with pytest.raises(ValueError, match=f"{name}:make gives one image {message}"):
        feature_table(random_images(5), backbone, np.arange(5), folder=tmp_path, progress=False)
