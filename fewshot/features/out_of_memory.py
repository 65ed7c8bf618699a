"""Work in batches that are halved until they fit in memory."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import TypeVar

import torch

_CPU = ("DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory")
_log = logging.getLogger("fewshot")
Result = TypeVar("Result")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch raised this error because memory ran out, on a device or on the CPU."""
    return isinstance(error, torch.cuda.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in _CPU)
    )


def halved_until_it_fits(work: Callable[[int], Result], size: int, what: str) -> tuple[Result, int]:
    """The result of `work(size)` and its size. If memory runs out, `work` starts again with half of the size, with a
    warning; a MemoryError at size 1. `what` names the things of a batch, such as "images"."""
    while True:
        try:
            return work(size), size
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if size <= 1:
                raise too_large(what) from error
        release()  # outside the handler: the traceback holds the tensors that did not fit
        warn_of_halving(what, size, size // 2)
        size //= 2


def too_large(what: str) -> MemoryError:
    """The error for work that does not fit even one by one."""
    return MemoryError(
        f"memory is too small even for a batch of one of the {what}; use a device with more memory, end other "
        "programs that use it, or choose a smaller network, image size or episode"
    )


def warn_of_halving(what: str, size: int, half: int) -> None:
    """Logs that a batch did not fit."""
    _log.warning("memory is too small for a batch of %d %s; fewshot goes on with batches of %d", size, what, half)


def release() -> None:
    """Frees the memory of dead tensors, on the CPU and on the GPU."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
