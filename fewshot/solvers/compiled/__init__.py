"""Loops over small episodes, compiled by numba if it is installed (the extra `fast`).

One episode of a few dozen rows is too small for a matrix library: calling it costs more than the arithmetic. These
loops process each episode from beginning to end while it is in the processor's cache, with as many threads as torch
may use. The result of an episode does not depend on other episodes or on the number of threads. Without numba, on
other devices and for large problems, torch computes the same answers.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor

from fewshot.solvers.loop_cache import installed, kept_at

__all__ = ["compiled", "compiled_part", "installed", "over_episodes", "serves"]

Loop = TypeVar("Loop", bound=Callable[..., Any])

# Sums may be taken in another order, which vector instructions need; NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "nsz"}
_PARTS_PER_THREAD = 4  # episodes differ in how long they take
_RUNS_WIDE = "avx512fp16"  # a feature of processors that vectors of 512 bits do not slow down (Sapphire Rapids and on)


def serves(*tensors: Tensor) -> bool:
    """Whether the compiled loops can process these tensors: numba is installed, and they are floats on the CPU without
    gradients."""
    return installed() and all(
        t.device.type == "cpu" and t.dtype in (torch.float32, torch.float64) and not t.requires_grad for t in tensors
    )


def compiled(loop: Loop) -> Loop:
    """The function, compiled at its first call, to run without the interpreter's lock. Cached on disk if numba finds a
    writable folder (beside the file, the user's cache, or NUMBA_CACHE_DIR)."""
    return _compiled(loop, {"no_cfunc_wrapper": True})


def compiled_part(loop: Loop) -> Loop:
    """As `compiled`, for functions that compiled loops alone call: Python must not. numba would also compile how Python
    passes the arguments, which takes longer than the function itself where they are tuples of many arrays."""
    return _compiled(loop, {"no_cfunc_wrapper": True, "no_cpython_wrapper": True})


def _compiled(loop: Loop, wrappers: dict[str, bool]) -> Loop:
    import numba

    from fewshot.solvers.compiled.notice import announce_compilation

    announce_compilation()
    options: dict[str, Any] = {"nogil": True, "fastmath": _FASTMATH, "error_model": "numpy", **wrappers}
    _widen()
    settings: Any = numba.config
    given = settings.CACHE_DIR
    settings.CACHE_DIR = given or str(kept_at())
    try:
        fast: Loop = numba.njit(cache=True, **options)(loop)
    except RuntimeError:  # no such folder
        fast = numba.njit(**options)(loop)
    finally:
        settings.CACHE_DIR = given
    return fast


@functools.cache
def _widen() -> None:
    """Uses the processor's full vector width, where LLVM takes half of it for the sake of older processors: measured a
    fifth less time for LinearProbe. It sets numba for the whole process, so NUMBA_CPU_FEATURES and NUMBA_ENABLE_AVX
    take precedence, and it has no effect after numba's first compilation."""
    import numba
    from llvmlite.binding import get_host_cpu_features

    settings: Any = numba.config
    if settings.CPU_FEATURES is None and settings.ENABLE_AVX:
        features = get_host_cpu_features()
        if features.get(_RUNS_WIDE):
            settings.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


def over_episodes(
    loop: Callable[..., None], count: int, *arguments: Any, workspace: Callable[[], Any] | None = None
) -> None:
    """Calls loop(first, last, *arguments) for ranges that cover [0, count), on as many threads as torch may use. Each
    thread passes its own `workspace`, if there is one, before the other arguments."""
    threads = max(1, min(torch.get_num_threads(), count))
    parts = 1 if threads == 1 else min(count, _PARTS_PER_THREAD * threads)
    edges = [count * part // parts for part in range(parts + 1)]
    ranges = iter(list(itertools.pairwise(edges)))  # shared: a thread that has finished takes the next

    def work() -> None:
        space = () if workspace is None else (workspace(),)
        for first, last in ranges:
            loop(first, last, *space, *arguments)

    if threads == 1:
        work()
        return
    for part in [_pool(os.getpid(), threads).submit(work) for _ in range(threads)]:
        part.result()


@functools.cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads of this process: a forked child does not have its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="episodes")
