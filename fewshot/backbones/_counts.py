"""The floating-point operations and the activations of a network for one image, counted in one pass that computes
nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Counts:
    """Counts of one forward pass for one image; None where nothing is known."""

    operations: int | None = None
    activation_bytes: int | None = None


_Key = tuple[tuple[int, ...], int]  # the shape of an input, and the number of parameters
_counted: WeakKeyDictionary[nn.Module, dict[_Key, Counts]] = WeakKeyDictionary()


def operations(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    """The FLOPs for one image [3, H, W]: two for each multiply-add of a matrix product, convolution or attention; other
    operations are not counted. None if nothing was counted."""
    return _counts(network, shape).operations


def activation_bytes(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    """The bytes of the outputs of all innermost modules for one image [3, H, W]. None for a network that cannot run
    without values, or that is one module."""
    return _counts(network, shape).activation_bytes


def _counts(network: nn.Module, shape: tuple[int, ...]) -> Counts:
    """Both counts; every network is counted once."""
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    key, known = (tuple(shape), n_parameters), _counted.setdefault(network, {})
    if key not in known:
        known[key] = _without_values(network, shape) or _with_values(network, shape)
    return known[key]


def _without_values(network: nn.Module, shape: tuple[int, ...]) -> Counts | None:
    """Counts with a copy whose tensors have no values (torch's "meta" device), so that the pass computes nothing and
    needs no memory; None for a network that cannot run so."""
    try:
        empty = _emptied(network)
        with _sizes_of_outputs(empty) as sizes:
            total = _total(empty, torch.empty(1, *shape, device="meta"))
    except Exception:  # the network's own code may fail in any way without values
        return None
    return Counts(total, sum(sizes) if len(sizes) > 1 else None)


def _with_values(network: nn.Module, shape: tuple[int, ...]) -> Counts:
    """The operations alone, counted in a real pass of a network with parameters."""
    try:
        return Counts(_total(network, torch.zeros(1, *shape, device=next(network.parameters()).device)))
    except Exception:  # embedding reports a network that cannot run; here it only has no count
        return Counts()


def _emptied(network: nn.Module) -> nn.Module:
    """A copy of the network whose tensors have shapes but no values. The weights are not copied."""
    empty: dict[int, Any] = {}
    for parameter in network.parameters():
        empty[id(parameter)] = nn.Parameter(parameter.detach().to("meta"), requires_grad=False)
    for buffer in network.buffers():
        empty[id(buffer)] = buffer.to("meta")
    return copy.deepcopy(network, empty)


@contextmanager
def _sizes_of_outputs(network: nn.Module) -> Iterator[list[int]]:
    """The bytes of every output of an innermost module inside the context."""
    sizes: list[int] = []

    def add(module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel() * output.element_size())

    innermost = [module for module in network.modules() if next(module.children(), None) is None]
    handles = [module.register_forward_hook(add) for module in innermost]
    try:
        yield sizes
    finally:
        for handle in handles:
            handle.remove()


def _total(network: Callable[[Tensor], Any], image: Tensor) -> int | None:
    """The FLOPs of a call; None if there are none. Fused kernels of attention have no count on every device, so they
    are switched off."""
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
