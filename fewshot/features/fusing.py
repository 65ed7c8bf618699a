"""ReLU computed by the convolution before it: the same bits, with a pass over the activations less.

oneDNN, with which torch convolves on the CPU, can apply a ReLU to each sum before it stores it. Rounding is that of the
two steps, because a ReLU does not round. Nothing promises that oneDNN chooses the same kernel for both, so a real batch
must give the same bits first.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fewshot.features.calls import followed
from fewshot.features.changed_modules import copy_sharing_weights, loaded_class, replace_module

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
        self._same = _pads_by_size(convolution)
        self._steps = convolution.stride, convolution.dilation
        padding = (0, 0) if self._same else convolution.padding
        self._arguments = padding, convolution.stride, convolution.dilation, convolution.groups
        self._rectifier = _RECTIFIERS[type(rectifier)]

    def forward(self, inputs: Tensor) -> Any:
        """The output [b, C, H, W] of the rectifier."""
        if self._same:
            from timm.layers.padding import pad_same_arg  # timm is there: it made the convolution

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
    copied = copy_sharing_weights(network)
    for convolution, rectifier in pairs:
        own = copied.get_submodule(convolution)
        assert isinstance(own, nn.Conv2d)
        replace_module(copied, convolution, RectifiedConvolution(own, copied.get_submodule(rectifier)))
        replace_module(copied, rectifier, nn.Identity())
    return copied.eval()


def _is_plain(convolution: nn.Module) -> bool:
    """Whether oneDNN can compute it as it is: no other kind of padding, weight or forward pass."""
    return (
        isinstance(convolution, nn.Conv2d)
        and (type(convolution) is nn.Conv2d or _pads_by_size(convolution))
        and convolution.padding_mode == "zeros"
        and not isinstance(convolution.padding, str)
        and convolution.weight.dtype == torch.float32
        and not (convolution._forward_hooks or convolution._forward_pre_hooks)
    )


def _pads_by_size(convolution: nn.Conv2d) -> bool:
    """Whether it is timm's convolution that pads by the size of its input."""
    return type(convolution) is loaded_class("timm.layers.conv2d_same", "Conv2dSame")
