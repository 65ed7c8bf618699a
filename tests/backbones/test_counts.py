"""The FLOPs and activations of a network are those of its formula, and counting them neither computes nor changes
anything."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fewshot.backbones._counts import activation_bytes, operations
from fewshot.backbones.given import Given
from fewshot.backbones.random_init import RandomInit
from fewshot.backbones.raw_pixels import RawPixels

_TOKENS, _DIM = 16, 12


class Attention(nn.Module):
    """One block of attention over 16 patches, with the fused kernel of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.joined = nn.Conv2d(3, _DIM, 4, 4), nn.Linear(_DIM, 3 * _DIM)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        query, key, value = self.joined(tokens).unflatten(2, (3, 2, _DIM // 2)).permute(2, 0, 3, 1, 4)
        answer: Tensor = functional.scaled_dot_product_attention(query, key, value)
        return answer.transpose(1, 2).flatten(2).mean(1)


class OfValues(Attention):
    """The same; it looks at a value of its input, which a tensor without values does not have."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) if float(images.mean()) < 1e9 else images


class Remembering(Attention):
    """The same; it keeps a tensor of its first call."""

    kept: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        if self.kept is None:
            self.kept = torch.ones_like(images)
        return super().forward(images * self.kept)


ATTENTION = 2 * _TOKENS * (3 * 16 * _DIM + _DIM * 3 * _DIM + 2 * _TOKENS * _DIM)
LAYER = 2 * _TOKENS * (4 * _DIM * _DIM + 2 * _TOKENS * _DIM + 2 * _DIM * 5)


@pytest.mark.parametrize("kind", [Attention, OfValues, Remembering])
def test_convolutions_products_and_attention_count_two_per_multiply_add(kind: type[Attention]) -> None:
    network = kind().eval()
    assert operations(network, (3, 16, 16)) == ATTENTION
    assert operations(network, (3, 32, 16)) > 2 * ATTENTION  # attention grows with the square of the patches


@pytest.mark.parametrize("values", [False, True])
def test_the_fast_path_of_an_encoder_layer_is_counted(values: bool) -> None:
    layer = nn.TransformerEncoderLayer(_DIM, 2, 5, batch_first=True)

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, images: Tensor) -> Tensor:
            assert not values or images.device.type == "cpu", "this test counts a real pass"
            tokens: Tensor = self.layer(images.flatten(1).unflatten(1, (_TOKENS, _DIM)))
            return tokens.mean(1)

    assert operations(Encoder().eval(), (3, 8, 8)) == LAYER


def test_counting_leaves_the_network_as_it_was() -> None:
    network = Remembering().eval()
    operations(network, (3, 16, 16))
    assert network.kept is None
    assert network(torch.ones(1, 3, 16, 16)).device.type == "cpu"
    assert torch.backends.mha.get_fastpath_enabled()


def test_activations_are_the_outputs_of_the_innermost_modules() -> None:
    assert activation_bytes(Attention().eval(), (3, 16, 16)) == 4 * _TOKENS * (_DIM + 3 * _DIM)
    assert activation_bytes(OfValues().eval(), (3, 16, 16)) is None
    assert activation_bytes(nn.Flatten(), (3, 16, 16)) is None


def test_one_pass_counts_operations_and_activations() -> None:
    calls = []
    network = Attention().eval()
    network.register_forward_pre_hook(lambda *_: calls.append(1))
    assert operations(network, (3, 16, 16))
    assert activation_bytes(network, (3, 16, 16))
    assert len(calls) == 1


def test_a_network_with_another_number_of_parameters_is_counted_again() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    assert activation_bytes(network, (3, 2, 2)) == 4 * (12 + 2)
    network[1] = nn.Linear(12, 5)
    assert activation_bytes(network, (3, 2, 2)) == 4 * (12 + 5)


def test_a_network_is_counted_once() -> None:
    calls = []
    network = OfValues().eval()
    network.register_forward_pre_hook(lambda *_: calls.append(1))
    operations(network, (3, 16, 16))
    before = len(calls)
    operations(network, (3, 16, 16))
    assert len(calls) == before == 2  # one without values, one real pass


def test_a_network_that_cannot_run_has_no_count() -> None:
    class Broken(nn.Linear):
        def forward(self, images: Tensor) -> Tensor:
            raise RuntimeError("never runs")

    assert operations(Broken(1, 1), (3, 4, 4)) is None


def test_a_convolution_has_its_published_count_and_pixels_have_none() -> None:
    # torchvision's table of ResNet-50 says 4.09 billion multiply-adds, of which its classifier has 2 million.
    assert RandomInit("resnet50", image_size=224).load().flops == pytest.approx(2 * 4.087e9, rel=1e-3)
    assert RawPixels(8).load().flops is None
    assert Given().load().flops is None
