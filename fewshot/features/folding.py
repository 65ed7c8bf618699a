"""BatchNorm folded into the convolution before it: the same features for a fifth less work.

In eval mode BatchNorm multiplies each channel by a constant and adds another, which the convolution can do too. One
forward pass shows which convolution feeds which BatchNorm; a comparison of features confirms it.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fewshot.features.calls import followed

WORST_ERROR = 1e-4  # ||f - g|| / ||g|| of a feature vector; above it the network stays as it is


def folded(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy of a network in eval mode with every BatchNorm that follows a convolution folded into it, or the network
    itself if there is none, or if the features of `example` [b, 3, H, W] would change by more than rounding."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network  # do not run it: it may take only real images
    with torch.no_grad():  # not inference mode: its tensors cannot be moved to another layout later
        pairs = followed(network, example, _is_fixed_norm)
        if not pairs:
            return network
        copied = copy.deepcopy(network)
        for convolution, norm, _ in pairs:
            _fold(copied, convolution, norm)
        return copied if _error(copied, network, example) <= WORST_ERROR else network


def _is_fixed_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.BatchNorm2d) and not module.training and module.running_mean is not None


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
