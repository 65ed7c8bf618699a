"""ReLUs inside convolutions give the same bits as behind them, and are left alone wherever they might not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from fewshot.backbones.random_init import RandomInit
from fewshot.features import embedding, fusing
from fewshot.features.folding import folded
from fewshot.features.fusing import RectifiedConvolution, padded, rectified
from fewshot.features.table import feature_table
from fewshot.features.trials import gives
from tests.support.random_pixels import pixels_through, random_images

EXAMPLE = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
BATCH = torch.randn(64, 3, 64, 64, generator=torch.Generator().manual_seed(1))

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")


def of_timm(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: nn.Module = timm.create_model(name, num_classes=0)
    return network.eval().requires_grad_(False)


def count(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in network.modules())


def bits(network: nn.Module, inputs: Tensor) -> Tensor:
    with torch.inference_mode():
        output: Tensor = network(inputs)
    return output.contiguous().view(torch.int32)


@pytest.mark.parametrize(
    ("name", "n_pairs"),
    [("tf_efficientnet_lite0", 33), ("mobilenetv2_035", 35), ("resnet18", 9), ("resnet26", 17), ("regnetx_002", 27)],
)
def test_networks_of_timm_keep_their_bits(name: str, n_pairs: int) -> None:
    for layout in (torch.channels_last, torch.contiguous_format):
        network = folded(of_timm(name), EXAMPLE).to(memory_format=layout)
        fused = rectified(network, EXAMPLE)
        assert fused is not None
        assert count(fused, RectifiedConvolution) == n_pairs
        inputs = BATCH.to(memory_format=layout)
        assert torch.equal(bits(fused, inputs), bits(network, inputs)), layout


def test_parameters_are_shared_and_the_network_stays_as_it_is() -> None:
    network = of_timm("resnet18")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fused = rectified(folded(network, EXAMPLE), EXAMPLE)
    assert fused is not None
    assert count(network, RectifiedConvolution) == 0
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).requires_grad_(False).eval()
    fused = rectified(plain, EXAMPLE)
    assert fused is not None
    assert fused[0].weight is plain[0].weight  # type: ignore[index]


@pytest.mark.parametrize("sides", [(0, 1, 0, 1), (2, 0, 1, 3), (0, 0, 0, 0)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_padding_is_that_of_torch(sides: tuple[int, int, int, int], layout: torch.memory_format) -> None:
    inputs = EXAMPLE.to(memory_format=layout)
    found = padded(inputs, *sides)
    assert torch.equal(found, nn.functional.pad(inputs, sides))
    assert found.is_contiguous(memory_format=layout)


class Changed(nn.Module):
    """The shortcut is added in place between the convolution and the ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        y += x
        return self.act(y).flatten(1)


class Shared(nn.Module):
    """One ReLU is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.act = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.two(self.act(self.one(x)))).flatten(1)


class Reflected(nn.Sequential):
    """A convolution that pads with the picture itself."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU())


@pytest.mark.parametrize(
    "network",
    [Changed(), Shared(), Reflected(), nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU()), nn.Flatten()],
    ids=lambda network: type(network).__name__,
)
def test_what_is_no_pair_is_left_alone(network: nn.Module) -> None:
    assert rectified(network.eval().requires_grad_(False), EXAMPLE) is None


def test_networks_in_other_dtypes_are_left_alone() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).double().eval().requires_grad_(False)
    assert rectified(network, EXAMPLE.double()) is None


class Branching(nn.Module):
    """The output of the convolution is used beside the ReLU too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 12, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return (y * self.act(y)).flatten(1)


class Reading(nn.Module):
    """The network reads a field of its convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 12, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x)).flatten(1) * self.conv.stride[0]


@pytest.mark.parametrize("kind", [Branching, Reading])
def test_a_network_that_would_change_is_found_out(kind: type[nn.Module]) -> None:
    network = kind().eval().requires_grad_(False)
    fused = rectified(network, EXAMPLE)
    assert fused is not None
    assert not gives(fused, EXAMPLE, network(EXAMPLE))
    assert gives(network, EXAMPLE, network(EXAMPLE))


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "test_resnet"])
def test_a_large_table_has_the_bits_of_small_ones(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone, images, rows = RandomInit(name, image_size=32).load(), random_images(150), np.arange(150)
    small = feature_table(images, backbone, rows, folder=tmp_path / "small", progress=False).gather(rows)
    monkeypatch.setattr(fusing, "FEWEST_BATCHES", 2)
    uses: list[bool] = []
    monkeypatch.setattr(embedding, "gives", lambda *given: uses.append(gives(*given)) or uses[-1])
    large = feature_table(images, backbone, rows, folder=tmp_path / "large", progress=False).gather(rows)
    assert torch.equal(large.view(torch.int32), small.view(torch.int32))
    assert uses == [True]


@pytest.mark.parametrize("kind", [Branching, Reading])
def test_a_table_of_such_a_network_is_computed_as_before(
    kind: type[nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, images, rows = pixels_through(kind().requires_grad_(False)), random_images(150), np.arange(150)
    small = feature_table(images, backbone, rows, folder=tmp_path / "small", progress=False).gather(rows)
    monkeypatch.setattr(fusing, "FEWEST_BATCHES", 2)
    large = feature_table(images, backbone, rows, folder=tmp_path / "large", progress=False).gather(rows)
    assert torch.equal(large, small)
