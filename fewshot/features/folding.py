"""BatchNorm folded into the convolution before it: the same features for a fifth less work.

In eval mode BatchNorm multiplies each channel by a constant and adds another, which the convolution can do too. Hooks
on one forward pass show which convolution feeds which BatchNorm; a comparison of features confirms it.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

WORST_ERROR = 1e-4  # ||f - g|| / ||g|| of a feature vector; above it the network stays as it is


def folded(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy of a network in eval mode with every BatchNorm that follows a convolution folded into it, or the network
    itself if there is none, or if the features of `example` [b, 3, H, W] would change by more than rounding."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network  # do not run it: it may take only real images
    with torch.no_grad():  # not inference mode: its tensors cannot be moved to another layout later
        pairs = _pairs(network, example)
        if not pairs:
            return network
        copied = copy.deepcopy(network)
        for convolution, norm in pairs:
            _fold(copied, convolution, norm)
        return copied if _error(copied, network, example) <= WORST_ERROR else network


def _pairs(network: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    """Names of convolutions and of the BatchNorms that take their outputs, if both are called exactly once."""
    outputs: list[tuple[str, Tensor]] = []
    inputs: list[tuple[str, Tensor]] = []
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(lambda _m, _i, out, n=name: outputs.append((n, out))))
        elif isinstance(module, nn.BatchNorm2d) and not module.training and module.running_mean is not None:
            hooks.append(module.register_forward_pre_hook(lambda _m, given, n=name: inputs.append((n, given[0]))))
    try:
        network(example)
    finally:
        for hook in hooks:
            hook.remove()
    maker = {id(tensor): name for name, tensor in outputs}  # the tensors are alive, so their ids differ
    pairs = [(maker[id(tensor)], norm) for norm, tensor in inputs if id(tensor) in maker]
    called = [name for name, _ in outputs + inputs]
    return [pair for pair in pairs if called.count(pair[0]) == called.count(pair[1]) == 1]


def _fold(network: nn.Module, convolution: str, norm: str) -> None:
    """Replaces both by one convolution that does the work of both, and keeps further modules inside the norm."""
    conv, bn = network.get_submodule(convolution), network.get_submodule(norm)
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(bn, nn.BatchNorm2d)
    fused = fuse_conv_bn_eval(conv, bn)
    conv.weight, conv.bias = fused.weight, fused.bias
    rest = [child for child in bn.children() if not isinstance(child, nn.Identity)]  # timm's norms hold an activation
    parent, _, name = norm.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Sequential(*rest).eval() if rest else nn.Identity().eval())


def _error(copied: nn.Module, network: nn.Module, example: Tensor) -> float:
    """The largest relative error of a feature vector."""
    folded, wanted = copied(example).flatten(1).double(), network(example).flatten(1).double()
    return float(((folded - wanted).norm(dim=1) / wanted.norm(dim=1).clamp_min(1e-30)).nan_to_num(torch.inf).max())
