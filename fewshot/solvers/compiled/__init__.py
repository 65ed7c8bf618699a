"""Loops over small episodes, compiled by numba where it is installed (the extra `fast`).

One episode of a few dozen rows is too small for a matrix library: calling it costs more than the arithmetic. Here each
episode is worked on from beginning to end while it is in the processor's cache, and the episodes are shared among as
many threads as torch may use. What an episode gives does not depend on its neighbours or on the number of threads.
Without numba, on other devices and for large problems the same answers come from torch.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

Loop = TypeVar("Loop", bound=Callable[..., Any])

# Sums may be taken in another order, which vector instructions need; NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "nsz"}
_PARTS_PER_THREAD = 4  # episodes differ in how long they take
_RUNS_WIDE = "avx512fp16"  # a feature of processors that vectors of 512 bits do not slow down (Sapphire Rapids and on)


@functools.cache
def installed() -> bool:
    """Whether numba can be imported; it is not imported to find out."""
    return importlib.util.find_spec("numba") is not None


def serves(*tensors: Tensor) -> bool:
    """Whether the compiled loops can work on these tensors: numba is installed, and they are floats on the CPU through
    which nobody wants gradients."""
    return installed() and all(
        t.device.type == "cpu" and t.dtype in (torch.float32, torch.float64) and not t.requires_grad for t in tensors
    )


def compiled(loop: Loop) -> Loop:
    """The function compiled at its first call, without the interpreter's lock; kept on disk where numba finds a folder
    that it can write to (beside the file, the user's cache, or NUMBA_CACHE_DIR)."""
    import numba

    options: dict[str, Any] = {"nogil": True, "fastmath": _FASTMATH, "error_model": "numpy"}
    _widen()
    settings: Any = numba.config
    given = settings.CACHE_DIR
    settings.CACHE_DIR = given or _kept_at()
    try:
        made: Loop = numba.njit(cache=True, **options)(loop)
    except RuntimeError:  # no such folder
        made = numba.njit(**options)(loop)
    finally:
        settings.CACHE_DIR = given
    return made


@functools.cache
def _widen() -> None:
    """Vectors as wide as the processor's, where LLVM would take half of that for the sake of older ones: a fifth less
    time for LinearProbe where that was measured. It is a setting of numba for the whole process, so NUMBA_CPU_FEATURES
    and NUMBA_ENABLE_AVX decide where they are given, and nothing changes once numba has compiled something."""
    import numba
    from llvmlite.binding import get_host_cpu_features

    settings: Any = numba.config
    if settings.CPU_FEATURES is None and settings.ENABLE_AVX:
        features = get_host_cpu_features()
        if features.get(_RUNS_WIDE):
            settings.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


@functools.cache
def _kept_at() -> str:
    """A folder named after the sources of all loops: numba itself looks only at the file of the function that it loads,
    not at those that the function calls."""
    here = Path(__file__).parent
    sha = hashlib.sha256()
    for path in sorted(here.glob("*.py")):
        sha.update(path.read_bytes())
    return str(here / "__pycache__" / f"loops-{sha.hexdigest()[:16]}")


def over_episodes(
    loop: Callable[..., None], count: int, *arguments: Any, workspace: Callable[[], Any] | None = None
) -> None:
    """Calls loop(first, last, *arguments) for ranges that cover [0, count), on as many threads as torch may use. Where
    the loop works in a `workspace`, each thread makes one, which comes before the other arguments."""
    threads = max(1, min(torch.get_num_threads(), count))
    parts = 1 if threads == 1 else min(count, _PARTS_PER_THREAD * threads)
    edges = [count * part // parts for part in range(parts + 1)]
    ranges = iter(list(itertools.pairwise(edges)))  # shared: a thread that is done takes the next

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
    """Threads of this process: those of a parent do not live in its forked children."""
    return ThreadPoolExecutor(threads, thread_name_prefix="episodes")
