"""Pools the last activations of a timm network to one vector for each image."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from fewshot.backbones._timm_errors import BUILDING, first_line

_CLASS_TOKENS = re.compile(r"(token(?=\+)|last(?P<blocks>[1-9]\d*))(?P<average>\+avg)?")
_TOKENS_OR_BLOCKS = "'token' and 'last4' are for ViTs with a class token, most networks know 'avg'"
# From tokens [b, prefixes + patches, D] and the number of prefixes to [b, D].
_OF_TOKENS: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "token": lambda tokens, _: tokens[:, 0],
    "avg": lambda tokens, prefixes: tokens[:, prefixes:].mean(dim=1),
    "max": lambda tokens, prefixes: tokens[:, prefixes:].amax(dim=1),
    "avgmax": lambda tokens, prefixes: 0.5 * (tokens[:, prefixes:].amax(dim=1) + tokens[:, prefixes:].mean(dim=1)),
}


def pooled(network: nn.Module, name: str, pool: str | None = None) -> nn.Module:
    """The same network without its classifier: it returns one vector for each image.

    `pool` None leaves timm's default: pooled pre-logits, for a distilled DeiT or PiT the mean of its class and
    distillation tokens. Any other name means the same for every network: "token" is the class token alone; "avg",
    "max" and "avgmax" pool the patch tokens or the last feature map. "token+avg" is the class token, then the mean of
    the patch tokens; "last4" are the class tokens of the last four blocks (any number), earliest first, each after the
    final norm; "last4+avg" adds the mean of the last block's patch tokens, the input of DINOv2's linear probes (Oquab
    et al. 2023, arXiv 2304.07193). Register and distillation tokens are ignored. Other names are passed to timm as
    global_pool. A network that cannot pool this way is a ValueError.
    """
    tokens = _CLASS_TOKENS.fullmatch(pool or "")
    timms = "token" if tokens else pool
    try:
        if timms == "token":
            _check_class_token(network)
        network.reset_classifier(0, *([] if timms is None else [timms]))  # type: ignore[operator]
        if tokens:
            _pool_class_tokens(network, int(tokens["blocks"] or 1), bool(tokens["average"]))
        elif pool and pool in _OF_TOKENS and _prefixes(network):
            _pool_tokens(network, _OF_TOKENS[pool])
    except BUILDING as error:
        raise ValueError(f"timm cannot pool {name!r} by {pool!r}: {first_line(error)}; {_TOKENS_OR_BLOCKS}") from error
    return network


def _check_class_token(network: Any) -> None:
    """Raises a ValueError for a network with tokens but no class token: timm might take the first patch instead."""
    known = getattr(network, "has_class_token", getattr(network, "cls_token", None) is not None)
    if getattr(network, "num_prefix_tokens", None) is not None and not known:
        raise ValueError("it has no class token")


def _prefixes(network: Any) -> int:
    """The number of tokens before the patch tokens: class, distillation and register tokens."""
    known = getattr(network, "num_prefix_tokens", None)
    return int(getattr(network, "cls_token", None) is not None) if known is None else int(known)


def _pool_tokens(network: Any, pool: Callable[[Tensor, int], Tensor]) -> None:
    """Replaces the network's `forward` by one that pools its tokens. timm's poolings differ: a distilled network
    averages its two tokens as "token", VOLO counts its class token as a patch, some ViTs their registers."""

    def forward(own: Any, inputs: Tensor) -> Tensor:
        tokens = own.forward_features(inputs)
        if not isinstance(tokens, Tensor) or tokens.ndim != 3:  # several branches or scales, each with its class token
            pooled: Tensor = own.forward_head(tokens, pre_logits=True)
            return pooled
        vectors: Tensor = _after(own)(pool(tokens, _prefixes(own)))
        return vectors

    network.forward = MethodType(forward, network)


def _after(network: Any) -> nn.Module:
    """The norm after pooling, if a network has one."""
    after: nn.Module = getattr(network, "fc_norm", nn.Identity())
    return after


def _pool_class_tokens(network: Any, n_blocks: int, average: bool) -> None:
    """Replaces the network's `forward`; names of weights and layer groups stay the same."""
    depth = len(getattr(network, "blocks", ()))
    gives = inspect.signature(network.forward_intermediates).parameters
    if not (getattr(network, "num_prefix_tokens", 0) and depth and "return_prefix_tokens" in gives):
        raise ValueError("it has no blocks with a class token in each")
    if n_blocks > depth:
        raise ValueError(f"it has {depth} blocks")

    def forward(own: Any, inputs: Tensor) -> Tensor:
        taken = own.forward_intermediates(
            inputs, indices=n_blocks, return_prefix_tokens=True, norm=True, output_fmt="NLC", intermediates_only=True
        )  # a pair of patch tokens [b, patches, D] and prefix tokens [b, prefixes, D] a block
        vectors = [prefix[:, 0] for _, prefix in taken]
        if average:
            vectors.append(taken[-1][0].mean(dim=1))
        return torch.cat([_after(own)(vector) for vector in vectors], dim=1)  # [b, n_blocks D], or one D more

    network.forward = MethodType(forward, network)
