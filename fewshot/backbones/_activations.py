"""The memory that the activations of a network take for one image, counted without computing them."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from fewshot.backbones._operations import without_values

_counted: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], int | None]] = WeakKeyDictionary()


def activation_bytes(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    """The bytes of the outputs of all innermost modules for one image [3, H, W]. None for a network that cannot run
    without values, or that is one module. Every network is counted once."""
    known = _counted.setdefault(network, {})
    if shape not in known:
        known[shape] = _count(network, shape)
    return known[shape]


def _count(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    sizes: list[int] = []

    def add(module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel() * output.element_size())

    try:
        empty = without_values(network)
        for module in empty.modules():
            if not any(True for _ in module.children()):
                module.register_forward_hook(add)
        with torch.no_grad():
            empty(torch.empty(1, *shape, device="meta"))
    except Exception:  # the network's own code may fail in any way without values
        return None
    return sum(sizes) if len(sizes) > 1 else None
