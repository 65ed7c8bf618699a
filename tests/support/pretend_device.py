"""A device that this machine does not have: its tensors compute on the CPU and refuse tensors of the CPU, like a GPU's.

It calls itself `meta`, a device that torch always knows. Inside `pretended()`, tensors made on or moved to `meta` hold
values; an operation that mixes them with tensors of the CPU fails, and so does `.numpy()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")
_aten: Any = torch.ops.aten
_MOVES = (_aten._to_copy.default, _aten.copy_.default)
_INDEXES = (  # torch lets indices stay on the CPU
    _aten.index.Tensor,
    _aten.index_put.default,
    _aten.index_put_.default,
    _aten._index_put_impl_.default,
    _aten._unsafe_index.Tensor,
)


class OnDevice(Tensor):
    """A tensor of the pretended device."""

    held: Tensor  # its values, on the CPU

    @staticmethod
    def __new__(cls, held: Tensor) -> OnDevice:
        tensor: OnDevice = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=DEVICE,
            requires_grad=held.requires_grad,
        )
        tensor.held = held
        return tensor

    def __repr__(self) -> str:  # type: ignore[override]
        return f"OnDevice({self.held!r})"

    @property
    def data(self) -> OnDevice:
        """The same values without gradients."""
        detached: Any = self.detach()
        return detached  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: OnDevice) -> None:
        self.held = value.held

    def numpy(self, **_: Any) -> Any:
        """Fails, as on every device but the CPU."""
        raise TypeError("can't convert a tensor of the pretended device to numpy; use Tensor.cpu() first")

    def tolist(self) -> Any:
        """The values as lists."""
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatched(function, args, kwargs or {})


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatched(function, args, kwargs or {})


def dispatched(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The result of an operation, on the device of its tensors or the one that it names."""
    tensors = [leaf for leaf in tree_flatten((args, kwargs))[0] if isinstance(leaf, Tensor)]
    there = [isinstance(tensor, OnDevice) for tensor in tensors]
    wanted = kwargs.get("device")
    if function not in _MOVES and function not in _INDEXES and any(there):
        strays = [tuple(t.shape) for t, on in zip(tensors, there, strict=True) if not on and t.ndim]
        if strays:
            raise RuntimeError(
                f"Expected all tensors to be on the same device: {function} got {strays} on the CPU, others not"
            )
    if function is _aten.index.Tensor and any(there) and not isinstance(args[0], OnDevice):
        raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor")
    goes = torch.device(wanted) == DEVICE if wanted is not None else _stays(function, args, there)
    if "device" in kwargs and goes:
        kwargs = kwargs | {"device": torch.device("cpu")}
    result = function(*tree_map(_held, args), **tree_map(_held, kwargs))
    if function.__name__.partition(".")[0].endswith("_") and isinstance(args[0], Tensor):
        return args[0]  # in place
    if "out" in kwargs:
        return kwargs["out"]
    return tree_map(lambda value: OnDevice(value) if goes and isinstance(value, Tensor) else value, result)


def _stays(function: Any, args: Any, there: list[bool]) -> bool:
    return isinstance(args[0], OnDevice) if function in _MOVES else any(there)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, OnDevice) else value


def _made_there(maker: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """torch.tensor and torch.as_tensor, which do not dispatch: made on the CPU, then moved."""

    def made(data: Any, device: Any = None, **more: Any) -> Tensor:
        tensor = maker(data, **more)
        return tensor if device is None else tensor.to(device)

    return made


@contextmanager
def pretended() -> Iterator[torch.device]:
    """Gives the device while it exists. Inference mode is no_grad there: torch does not let wrappers be views in it."""
    makers = (patch(f"torch.{name}", _made_there(getattr(torch, name))) for name in ("tensor", "as_tensor"))
    with _Mode(), patch("torch.inference_mode", torch.no_grad), next(makers), next(makers):
        yield DEVICE
