"""ReLU computed by the convolution before it: the same bits, with a pass over the activations less.

oneDNN, with which torch convolves on the CPU, can apply a ReLU to each sum before it stores it. Rounding is that of the
two steps, because a ReLU does not round. Nothing promises that oneDNN chooses the same kernel for both, so a real batch
must give the same bits first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same_arg
from torch import Tensor, nn

from fewshot.features.calls import followed

FEWEST_BATCHES = 32  # the first one is computed twice
_RECTIFIERS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
}  # the names and bounds of oneDNN


class RectifiedConvolution(nn.Module):
    """A convolution of float32 on the CPU, and the ReLU or ReLU6 after it."""

    def __init__(self, convolution: nn.Conv2d, rectifier: nn.Module) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self._same = isinstance(convolution, Conv2dSame)  # pads by the size of its input
        self._steps = convolution.stride, convolution.dilation
        padding = (0, 0) if self._same else convolution.padding
        self._arguments = padding, convolution.stride, convolution.dilation, convolution.groups
        self._rectifier = _RECTIFIERS[type(rectifier)]

    def forward(self, inputs: Tensor) -> Any:
        """The output [b, C, H, W] of the rectifier."""
        if self._same:
            sizes = inputs.shape[-2:], self.weight.shape[-2:], *self._steps
            inputs = padded(inputs, *pad_same_arg(*map(list, sizes)))
        convolve = torch.ops.mkldnn._convolution_pointwise
        return convolve(inputs, self.weight, self.bias, *self._arguments, *self._rectifier, "")


def padded(inputs: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    """[b, C, H, W] with zeros around it. torch would write zeros everywhere first."""
    n, channels, height, width = inputs.shape
    last = inputs.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    shape = n, channels, top + height + bottom, left + width + right
    whole = torch.empty(shape, dtype=inputs.dtype, device=inputs.device, memory_format=layout)
    whole[:, :, :top].zero_()
    whole[:, :, top + height :].zero_()
    whole[..., :left].zero_()
    whole[..., left + width :].zero_()
    whole[:, :, top : top + height, left : left + width] = inputs
    return whole


def rectified(network: nn.Module, example: Tensor) -> nn.Module | None:
    """A network with the same parameters that applies each ReLU in the convolution before it; None if it has no such
    pair, or if this torch has no oneDNN."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    if not any(type(module) in _RECTIFIERS for module in network.modules()):
        return None
    pairs = [
        (convolution, rectifier)
        for convolution, rectifier, changed in followed(network, example, lambda module: type(module) in _RECTIFIERS)
        if not changed and _is_plain(network.get_submodule(convolution))
    ]
    if not pairs:
        return None
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    copied = copy.deepcopy(network, shared)
    for convolution, rectifier in pairs:
        own = copied.get_submodule(convolution)
        assert isinstance(own, nn.Conv2d)
        _replace(copied, convolution, RectifiedConvolution(own, copied.get_submodule(rectifier)))
        _replace(copied, rectifier, nn.Identity())
    return copied.eval()


def gives(embed: Callable[[Tensor], Tensor], inputs: Tensor, wanted: Tensor) -> bool:
    """Whether this gives the same bits for these inputs."""
    try:
        output = embed(inputs)
    except (RuntimeError, AttributeError):  # oneDNN cannot compute it, or the network reads a field of its convolution
        return False
    return output.shape == wanted.shape and torch.equal(_bits(output), _bits(wanted))


def _bits(features: Tensor) -> Tensor:
    return features.contiguous().view(torch.int32)


def _is_plain(convolution: nn.Module) -> bool:
    """Whether oneDNN can compute it as it is: no other kind of padding, weight or forward pass."""
    return (
        type(convolution) in (nn.Conv2d, Conv2dSame)
        and isinstance(convolution, nn.Conv2d)
        and convolution.padding_mode == "zeros"
        and not isinstance(convolution.padding, str)
        and convolution.weight.dtype == torch.float32
        and not (convolution._forward_hooks or convolution._forward_pre_hooks)
    )


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module.eval())
