"""A name of a pool means the same vector for every network of timm."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import torch
from fewshot.benchmarks.all_of_timm import inputs_of, read_table, tried_size
from torch import Tensor

from fewshot.backbones._timm_network import build
from fewshot.backbones.random_init import RandomInit

SECONDS = 7  # that the benchmark took for a network
SMALLEST = [r["network"] for r in read_table() if r["seconds"] < SECONDS and "token" in r.get("pools", ())]
# Where timm's own names mean something else, or the network has more tokens than class and patches.
VARIANTS = ["deit_tiny_distilled_patch16_224", "pit_ti_distilled_224", "test_vit2", "test_vit3", "volo_d1_224"]
POOLS = ("token", "avg", "max", "avgmax", "token+avg", "last1", "last1+avg")


@cache
def pooled(name: str) -> Mapping[str, Tensor]:
    """The features [3, D] of every pool that a network takes."""
    found = {}
    for pool in POOLS:
        try:
            backbone = RandomInit(name, image_size=tried_size(name), pool=pool).load()
        except ValueError:
            continue
        found[pool] = backbone.embed(inputs_of(backbone))
    return found


def tokens(name: str) -> tuple[Tensor, int, Any] | None:
    """The normed tokens [3, prefixes + patches, D] of the last block, how many are prefixes, and what normalises a
    pooled vector; None where a network has several branches or scales."""
    network: Any = build(name, tried_size(name)).eval()
    images = inputs_of(RandomInit(name, image_size=tried_size(name)).load())
    with torch.inference_mode():
        found = network.forward_features(images)
    if not isinstance(found, Tensor) or found.ndim != 3:
        return None
    side = int(found.shape[1] ** 0.5)  # fewer prefixes than would make another row of patches
    prefixes = found.shape[1] - side**2
    return found, prefixes, getattr(network, "fc_norm", torch.nn.Identity())


@pytest.mark.parametrize("name", SMALLEST + VARIANTS)
def test_a_pool_is_what_its_name_says(name: str) -> None:
    found = tokens(name)
    if found is None:
        pytest.skip("its class tokens are of several branches or scales")
    all_tokens, prefixes, after = found
    patches, given = all_tokens[:, prefixes:], pooled(name)
    expected = {"token": all_tokens[:, 0]}
    if patches.shape[1]:
        expected |= {"avg": patches.mean(1), "max": patches.amax(1)}
        expected["avgmax"] = (expected["avg"] + expected["max"]) / 2
    with torch.inference_mode():
        for pool in set(expected) & set(given):
            torch.testing.assert_close(given[pool], after(expected[pool]), rtol=1e-4, atol=1e-5, msg=pool)


@pytest.mark.parametrize("name", SMALLEST + VARIANTS)
def test_two_names_of_one_vector_agree(name: str) -> None:
    given = pooled(name)
    if {"token", "avg", "token+avg"} <= set(given):
        torch.testing.assert_close(given["token+avg"], torch.cat([given["token"], given["avg"]], dim=1))
        assert not torch.allclose(given["token"], given["avg"])
    if "last1" in given:
        torch.testing.assert_close(given["last1"], given["token"])
        torch.testing.assert_close(given["last1+avg"], given["token+avg"])


def test_a_distilled_network_keeps_timms_default_and_has_its_class_token_by_name() -> None:
    name = "deit_tiny_distilled_patch16_224"
    found = tokens(name)
    assert found is not None
    backbone = RandomInit(name).load()
    torch.testing.assert_close(backbone.embed(inputs_of(backbone)), found[0][:, :2].mean(1))
    torch.testing.assert_close(pooled(name)["token"], found[0][:, 0])
