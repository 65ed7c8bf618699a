"""Which module takes the output of which convolution, seen in one forward pass."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def followed(network: nn.Module, example: Tensor, takes: Callable[[nn.Module], bool]) -> list[tuple[str, str, bool]]:
    """Names of convolutions and of the modules, of those that `takes` accepts, that take their outputs, if both are
    called exactly once; and whether the output was changed in place in between, as by `x += shortcut`."""
    outputs: list[tuple[str, Tensor, int]] = []
    inputs: list[tuple[str, Tensor, int]] = []
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(lambda _m, _i, out, n=name: outputs.append(_seen(n, out))))
        elif takes(module):
            hooks.append(module.register_forward_pre_hook(lambda _m, given, n=name: inputs.append(_seen(n, given[0]))))
    try:
        with torch.no_grad():  # not inference mode, whose tensors do not count their changes
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    maker = {id(tensor): (name, changes) for name, tensor, changes in outputs}  # all are alive, so their ids differ
    met = [(*maker[id(tensor)], name, changes) for name, tensor, changes in inputs if id(tensor) in maker]
    called = [name for name, _, _ in outputs + inputs]
    return [
        (convolution, name, before != after)
        for convolution, before, name, after in met
        if called.count(convolution) == called.count(name) == 1
    ]


def _seen(name: str, tensor: Tensor) -> tuple[str, Tensor, int]:
    """A tensor, and how often it was changed in place so far."""
    return name, tensor, tensor._version
