"""The memory order of activations: a network is the same in each, and logits are those of the plain loop."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fewshot.benchmarks.plain_loops import LOOPS
from torch import nn

from fewshot.backbones import freeze
from fewshot.conformance import PictureWorld
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.tuning.layout import arranged, check_layout
from fewshot.plugins.registry import EVALUATORS

SHAPE = torch.Size((3, 8, 8))


class Views(nn.Module):
    """A network that cannot take channels_last: it calls `view` on its activations."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.linear = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 12)

    def forward(self, inputs):
        return self.linear(self.convolution(inputs).view(len(inputs), -1))


def separable():
    """A stem and a separable convolution with BatchNorm and ReLU6 in place, as in EfficientNet-Lite, then a linear
    layer: 12 features."""
    torch.manual_seed(0)
    norms = [nn.BatchNorm2d(8), nn.BatchNorm2d(8), nn.BatchNorm2d(16)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 2)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), norms[0], nn.ReLU6(inplace=True)),
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), norms[1], nn.ReLU6(inplace=True)),
        nn.Sequential(nn.Conv2d(8, 16, 1, bias=False), norms[2]),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(16, 12),
    )


def backbone_of(network, dtype=torch.float32):
    given = PictureWorld().backbone
    return replace(given, network=freeze(network.to(dtype)), preprocess=lambda image: given.preprocess(image).to(dtype))


@pytest.mark.parametrize(("dtype", "farthest"), [(torch.float32, 1e-4), (torch.float64, 1e-9)], ids=str)
@pytest.mark.parametrize(
    ("network", "loop", "tune", "layout"),
    [
        (separable, "whole", "all", None),
        (separable, "whole", "all", "channels_last"),
        (separable, "last", "last 1", "channels_last"),
        (separable, "norms", "norm", None),
        (separable, "norms", "norm", "channels_last"),
        (Views, "whole", "all", None),
    ],
)
def test_logits_are_those_of_the_plain_loop(network, loop, tune, layout, dtype, farthest):
    trial, backbone = PictureWorld().trial(0, n_episodes=1), backbone_of(network(), dtype)
    evaluator = FineTune(tune, steps=12, lr=0.02, layout=layout)
    ours = evaluator.fit(trial.batch, backbone)(trial.query)[0]
    theirs = LOOPS[loop](evaluator, backbone, trial.batch, trial.query)
    assert ours.dtype == dtype
    assert float((ours - theirs).abs().max()) <= farthest * float(theirs.abs().max())


@pytest.mark.parametrize("tune", ["all", "last 2"])
def test_every_step_runs_in_the_order_of_the_spec(tune):
    network, orders = separable(), []

    def note(module, inputs, output):
        if len(output) > 2:  # two images are a trial run
            orders.append(output.is_contiguous(memory_format=torch.channels_last))

    network[2][0].register_forward_hook(note)
    trial = PictureWorld().trial(0, n_episodes=1)
    FineTune(tune, steps=3, layout="channels_last").fit(trial.batch, backbone_of(network))(trial.query)
    assert len(orders) == 4  # three steps and the queries
    assert all(orders)


def test_a_network_that_cannot_take_channels_last_is_named():
    trial = PictureWorld().trial(0, n_episodes=1)
    with pytest.raises(ValueError, match=r"layout='channels_last' needs .* but Views does not \(.*\); remove layout="):
        FineTune(steps=1, layout="channels_last").fit(trial.batch, backbone_of(Views()))


def test_a_network_is_checked_once_and_gets_no_gradients():
    network, calls = separable().requires_grad_(True).eval(), []
    network.register_forward_hook(lambda *_: calls.append(1))
    for _ in range(3):
        check_layout(network, SHAPE, "channels_last")
    assert len(calls) == 1
    assert all(p.grad is None for p in network.parameters())


def test_only_tensors_of_four_dimensions_have_an_order():
    tokens, maps = torch.randn(2, 5, 7), torch.randn(2, 5, 7, 7)
    assert arranged(tokens, "channels_last") is tokens
    assert torch.equal(arranged(maps, "channels_last"), maps)
    assert arranged(maps, "channels_last").is_contiguous(memory_format=torch.channels_last)
    assert arranged(maps, None) is maps


def test_specs_without_a_layout_keep_their_text():
    assert "layout" not in EVALUATORS.spec(FineTune()).text
    assert "layout='channels_last'" in EVALUATORS.spec(FineTune(layout="channels_last")).text
