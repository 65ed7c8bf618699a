"""Hooks on one run of a network: find pixels that its first layers never read, and the layer behind its output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn

_READERS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


@dataclass(frozen=True)
class Margin:
    """The last rows and columns of an image that no layer reads: the remainder after division by the stride."""

    rows: int
    columns: int
    stride: int


@dataclass(eq=False)
class Watched:
    """Observations of a network on images of `shape` [b, C, H, W]."""

    shape: Sequence[int]
    margins: list[Margin] = field(default_factory=list)  # of every layer that takes the image itself
    linear: list[tuple[str, Tensor]] = field(default_factory=list)  # name and output of every linear layer

    def unread(self) -> Margin | None:
        """The margin that no layer reads; None if they read the whole image."""
        rows = min((margin.rows for margin in self.margins), default=0)
        columns = min((margin.columns for margin in self.margins), default=0)
        strides = (margin.stride for margin in self.margins)
        return Margin(rows, columns, max(strides)) if rows or columns else None

    def answers(self, output: Any) -> str:
        """The name of the linear layer that returned this output; '' if none did."""
        return next((name for name, tensor in reversed(self.linear) if tensor is output), "")

    def _reads(self, module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        if not (inputs and isinstance(inputs[0], Tensor) and tuple(inputs[0].shape) == tuple(self.shape)):
            return
        geometry = (module.kernel_size, module.stride, module.padding, getattr(module, "dilation", 1))
        rows, columns = (
            max(0, size - last_read(windows, *(_of_axis(value, axis) for value in geometry)))
            for axis, (size, windows) in enumerate(zip(self.shape[2:], output.shape[2:], strict=True))
        )
        self.margins.append(Margin(rows, columns, _of_axis(module.stride, 0)))

    def _linear(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.linear.append((name, output))


@contextmanager
def watched(network: nn.Module, shape: Sequence[int]) -> Iterator[Watched]:
    """Watches a network inside the context, then removes all hooks."""
    seen, handles = Watched(shape), []
    for name, module in network.named_modules():
        if isinstance(module, _READERS):
            handles.append(module.register_forward_hook(seen._reads))
        elif isinstance(module, nn.Linear):
            handles.append(module.register_forward_hook(partial(seen._linear, name)))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def last_read(windows: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The number of pixels of an axis up to the end of the last window; more than there are if that ends in padding."""
    return (windows - 1) * stride + dilation * (kernel - 1) + 1 - padding


def _of_axis(value: Any, axis: int) -> int:
    """The value of a layer's geometry for an axis; 0 for padding "same" or "valid", which hides no pixels."""
    if isinstance(value, str):
        return 0
    return int(value) if isinstance(value, int) else int(value[axis])
