"""The arithmetic of a forward pass, which is the same for every batch on a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

NAME = "IEEE float32, deterministic"  # in the key of tables from a GPU


@contextmanager
def exact(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """A context for a forward pass in this dtype.

    On CUDA, float32 is float32: torch's default rounds the inputs of convolutions to 10 bits (TF32), which moves
    features by a thousandth. cuDNN takes algorithms by its own rules, not by a race, and only those that always give
    the same bits.
    """
    if device.type != "cuda":
        with _cast(device, dtype):
            yield
        return
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
            _cast(device, dtype),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)


def _cast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)
