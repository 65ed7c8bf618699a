"""Small new parameters beside the frozen weights of a network.

An adapter is a parametrization of a weight: a module that computes the adapted weight from the given one and its own
parameters. It works for every stride, padding and number of groups, and never moves the tensors of the network. Every
adapter starts as the identity.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Residual(nn.Module):
    """W plus a matrix at the middle of the kernel: a 1 x 1 convolution, of the same stride and groups, parallel to the
    given one (before W is standardised, if a layer does that). It starts at zero."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(weight.new_zeros(*weight.shape[:2], *[1] * (weight.ndim - 2)))
        self._around = [n for size in reversed(weight.shape[2:]) for n in ((size - 1) // 2, size // 2)]

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight."""
        return weight + nn.functional.pad(self.matrix, self._around)


class Scale(nn.Module):
    """W times a number for each pair of an output and an input channel, 1 at the start."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(weight.new_ones(*weight.shape[:2], *[1] * (weight.ndim - 2)))

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight."""
        return weight * self.scale


class Shift(nn.Module):
    """b plus a number for each output channel, 0 at the start."""

    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros_like(bias))

    def forward(self, bias: Tensor) -> Tensor:
        """The adapted bias."""
        return bias + self.shift


def add_residual(network: nn.Module, stem: bool) -> list[nn.Parameter]:
    """Puts `Residual` on every convolution with a kernel larger than 1 (on the first only with `stem`) and returns
    their parameters. A network without such convolutions is a ValueError."""
    convolutions = _convolutions(network)
    chosen = [
        module
        for number, module in enumerate(convolutions)
        if math.prod(module.kernel_size) > 1 and (stem or number > 0)
    ]
    if not chosen:
        raise ValueError(
            f"TaskSpecificAdapters(stem={stem}) looked for convolutions larger than 1 x 1"
            f"{'' if stem else ' after the first'}, but {type(network).__name__} has none ({len(convolutions)} "
            "convolutions in all); LoRA adapts linear layers"
        )
    return [parameter for module in chosen for parameter in put_in(module, "weight", Residual(module.weight))]


def add_scale_and_shift(network: nn.Module) -> list[nn.Parameter]:
    """Puts `Scale` and `Shift` on every convolution and returns their parameters. A convolution without a bias gets one
    of zeros. A network without convolutions is a ValueError."""
    convolutions, added = _convolutions(network), []
    if not convolutions:
        raise ValueError(
            f"ScaleAndShift looked for convolutions, but {type(network).__name__} has none; LoRA adapts linear layers"
        )
    for module in convolutions:
        added += put_in(module, "weight", Scale(module.weight))
        if module.bias is None:
            module.bias = nn.Parameter(module.weight.new_zeros(module.out_channels))
            added.append(module.bias)
        else:
            added += put_in(module, "bias", Shift(module.bias))
    return added


def put_in(module: nn.Module, name: str, adapter: nn.Module) -> list[nn.Parameter]:
    """Puts an adapter on a parameter of a module in eval mode, and returns the adapter's own parameters."""
    register_parametrization(module, name, adapter)
    module.eval()  # torch wraps the adapter in a new module, in training mode
    return list(adapter.parameters())


def _convolutions(network: nn.Module) -> list[nn.Conv1d | nn.Conv2d | nn.Conv3d]:
    return [module for module in network.modules() if isinstance(module, _CONVOLUTIONS)]
