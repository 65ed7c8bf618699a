"""The floating-point operations of a network for one image, counted without computing them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

_Key = tuple[tuple[int, ...], int]  # the shape of an input, and the number of parameters
_counted: WeakKeyDictionary[nn.Module, dict[_Key, int | None]] = WeakKeyDictionary()


def operations(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    """The FLOPs of one forward pass for one image [3, H, W]: two for each multiply-add of a matrix product, convolution
    or attention; other operations are not counted. None for a network without parameters, or if nothing was counted.

    Every network is counted once. The count comes from a copy without values (torch's "meta" device), so it computes
    nothing and needs no memory; a network that cannot run without values is counted by one real pass.
    """
    key = tuple(shape), sum(parameter.numel() for parameter in network.parameters())
    known = _counted.setdefault(network, {})
    if key not in known:
        known[key] = _count(network, shape) if key[1] else None
    return known[key]


def _count(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    image = torch.empty(1, *shape, device="meta")
    try:
        return _total(without_values(network), image)
    except Exception:  # the network's own code may fail in any way without values
        device = next(network.parameters()).device
    try:
        return _total(network, torch.zeros(1, *shape, device=device))
    except Exception:  # embedding reports a network that cannot run; here it only has no count
        return None


def without_values(network: nn.Module) -> nn.Module:
    """A copy of the network whose tensors have shapes but no values. The weights are not copied."""
    empty: dict[int, Any] = {}
    for parameter in network.parameters():
        empty[id(parameter)] = nn.Parameter(parameter.detach().to("meta"), requires_grad=False)
    for buffer in network.buffers():
        empty[id(buffer)] = buffer.to("meta")
    return copy.deepcopy(network, empty)


def _total(network: Callable[[Tensor], Any], image: Tensor) -> int | None:
    """The FLOPs of a call. Fused kernels of attention have no count on every device, so they are switched off."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            network(image)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops() or None
