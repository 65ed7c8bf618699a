"""Folded networks give the features of the whole ones, without BatchNorm, or are left alone."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from fewshot.features.folding import folded

EXAMPLE = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def lived_in(network: nn.Module) -> nn.Module:
    """The network with statistics and affine parameters that are not those of the beginning, frozen."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 2, generator=generator)
                nn.init.normal_(module.bias, generator=generator)
    return network.eval().requires_grad_(False)


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def error(made: nn.Module, network: nn.Module) -> float:
    example = EXAMPLE.to(next(network.parameters()).dtype)
    found, wanted = made(example).flatten(1), network(example).flatten(1)
    return float(((found - wanted).norm(dim=1) / wanted.norm(dim=1)).max())


@pytest.mark.parametrize(
    "name",
    ["tf_efficientnet_lite0", "mobilenetv2_035", "resnet18", "mobilenetv3_small_050", "regnetx_002", "ghostnet_050"],
)
def test_networks_of_timm_keep_their_features_and_lose_their_norms(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = lived_in(timm.create_model(name, num_classes=0))
    assert norms(network) > 10
    assert norms(folded(network, EXAMPLE)) == 0
    network.double()  # where only rounding is left
    assert error(folded(network, EXAMPLE.double()), network) <= 1e-11


def test_the_given_network_is_not_changed():
    network = lived_in(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert norms(folded(network, EXAMPLE)) == 0
    assert norms(network) == 1
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(
    "convolution",
    [nn.Conv2d(3, 6, 3, stride=2, groups=3, bias=False), nn.Conv2d(3, 6, 3, dilation=2, padding=1), nn.Conv2d(3, 6, 1)],
)
def test_any_convolution_is_folded(convolution):
    for norm in (nn.BatchNorm2d(6), nn.BatchNorm2d(6, affine=False)):
        network = lived_in(nn.Sequential(convolution, norm))
        assert norms(folded(network, EXAMPLE)) == 0
        assert error(folded(network, EXAMPLE), network) <= 1e-5


class Branching(nn.Module):
    """The output of the convolution is used beside the BatchNorm too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.conv(x)
        return self.bn(made) + made


class Twice(nn.Module):
    """One convolution feeds two BatchNorms in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.one, self.two = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.conv(self.one(self.conv(x))))


@pytest.mark.parametrize("network", [Branching(), Twice(), nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1))])
def test_what_cannot_be_folded_is_left_alone(network):
    lived_in(network)
    assert folded(network, EXAMPLE) is network


def test_convolutions_that_standardise_their_weights_are_left_alone():
    from timm.layers import StdConv2d

    network = lived_in(nn.Sequential(StdConv2d(3, 4, 3), nn.BatchNorm2d(4)))
    assert folded(network, EXAMPLE) is network


def test_batch_statistics_are_not_folded():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)).eval()
    assert folded(network, EXAMPLE) is network


def test_a_network_without_batchnorm_is_not_run_on_noise():
    class Histogram(nn.Module):
        def forward(self, images):
            return nn.functional.one_hot((8 * images).long(), 9).float().mean((2, 3)).flatten(1)

    network = Histogram()
    assert folded(network, EXAMPLE) is network
