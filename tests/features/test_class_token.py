"""A last block for the class token alone gives the features of the whole block, and is left alone wherever it might
not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone
from fewshot.backbones._timm_pooling import pooled
from fewshot.backbones.random_init import RandomInit
from fewshot.features import class_token
from fewshot.features.class_token import ClassTokenTrial, LastBlock
from fewshot.features.table import feature_table
from fewshot.features.trials import gives
from tests.support.random_pixels import random_images

INPUTS = torch.randn(4, 3, 48, 48, generator=torch.Generator().manual_seed(0))


def transformer(name: str = "test_vit", pool: str | None = None, **settings: object) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: nn.Module = timm.create_model(name, img_size=48, **settings)
    return pooled(network, name, pool).eval().requires_grad_(False)


def short(network: nn.Module, same: bool | None = None) -> nn.Module | None:
    """The network after a trial; `same`: the answer to the comparison of bits, None: the true one."""
    trial = ClassTokenTrial.of(network)
    assert trial is not None
    wanted = network(INPUTS)
    return trial(lambda end: gives(end, INPUTS, wanted) if same is None else same)


def has_short_block(network: nn.Module) -> bool:
    return any(isinstance(module, LastBlock) for module in network.modules())


@pytest.mark.parametrize("scales", [None, 0.1], ids=["plain", "layer scales"])
@pytest.mark.parametrize("pool", [None, "token", "last2"])
def test_the_class_token_is_that_of_the_whole_network(scales: float | None, pool: str | None) -> None:
    network = transformer(pool=pool, init_values=scales).double()
    trial = ClassTokenTrial.of(network)
    assert trial is not None
    wanted = network(INPUTS.double())
    faster = trial(lambda end: torch.allclose(end(INPUTS.double()), wanted, rtol=1e-12, atol=1e-12))
    assert faster is not None
    assert has_short_block(faster)
    torch.testing.assert_close(faster(INPUTS.double()), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "pool"),
    [
        ("test_vit", "avg"),
        ("test_vit", "max"),
        ("test_vit", "token+avg"),
        ("test_vit2", None),
        ("test_vit3", None),
        ("deit_tiny_distilled_patch16_224", None),
    ],
)
def test_networks_that_need_other_tokens_are_left_alone(name: str, pool: str | None) -> None:
    assert short(transformer(name, pool)) is None


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext"])
def test_other_architectures_have_no_trial(name: str) -> None:
    assert ClassTokenTrial.of(timm.create_model(name)) is None


def test_weights_are_shared_and_the_network_stays_as_it_is() -> None:
    network = transformer()
    names, wanted = list(network.state_dict()), network(INPUTS)
    faster = short(network, same=True)
    assert faster is not None
    assert [id(p) for p in faster.parameters()] == [id(p) for p in network.parameters()]
    assert list(network.state_dict()) == names
    assert not any(module._forward_pre_hooks for module in (*network.modules(), *faster.modules()))
    assert torch.equal(network(INPUTS), wanted)


ROWS = np.arange(250)  # three full batches


def features(backbone: Backbone, folder: Path, dtype: str = "float32") -> Tensor:
    """The features of all rows, computed together."""
    return feature_table(random_images(250), backbone, ROWS, dtype, False, folder).gather(ROWS)


def features_in_parts(backbone: Backbone, folder: Path, dtype: str = "float32") -> Tensor:
    """The same, computed in parts that are too small for a trial."""
    for part in (ROWS[:70], ROWS[70:150], ROWS[150:]):
        feature_table(random_images(250), backbone, part, dtype, False, folder)
    return features(backbone, folder, dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("pool", [None, "avg", "last2"])
def test_a_large_table_has_the_bits_of_small_ones(pool: str | None, dtype: str, tmp_path: Path) -> None:
    backbone = RandomInit("test_vit", image_size=32, pool=pool).load()
    whole, parts = features(backbone, tmp_path / "whole", dtype), features_in_parts(backbone, tmp_path / "parts", dtype)
    assert torch.equal(whole, parts)


def test_a_last_block_with_other_bits_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone, tries = RandomInit("test_vit", image_size=32).load(), []

    def inexact(block: LastBlock, tokens: Tensor) -> Tensor:
        tries.append(len(tokens))
        return exact(block, tokens) * (1 + 1e-6)

    exact = LastBlock.forward
    monkeypatch.setattr(LastBlock, "forward", inexact)
    whole = features(backbone, tmp_path / "whole")
    assert tries == [64]
    monkeypatch.setattr(class_token, "FEWEST_BATCHES", 1000)
    assert torch.equal(whole, features(backbone, tmp_path / "other"))
