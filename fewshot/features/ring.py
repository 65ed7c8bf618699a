"""Images decoded ahead into a ring of buffers, by threads or by worker processes.

Beside a network on the CPU a few threads are enough. A GPU waits for them: they share Python's lock with the thread
that feeds it. So processes decode for a GPU. They write into memory that this process maps too, so nothing is copied or
pickled, and the GPU copies from there.
"""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fewshot.features.decoding import Decoded, Decoder, Rows
from fewshot.files.cores import cores

_MOST_THREADS = 4
_MOST_PROCESSES = 64
_FEWEST_IMAGES = 512  # fewer are decoded before processes have started
_PIECE = 16  # images that a process decodes at once, so that the first batch is ready soon
_THREADS_PIECE = 4  # of a thread, which needs no message: so all threads have work when few images are left
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl


def decoding_processes(wanted: int | None, device: torch.device, n_images: int) -> int:
    """The number of worker processes; 0 for threads."""
    may_fork = "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon
    if wanted is not None:
        return wanted if may_fork else 0
    if device.type == "cpu" or n_images < _FEWEST_IMAGES or not may_fork:
        return 0
    usable = cores().usable
    return min(_MOST_PROCESSES, usable - 1) if usable > 2 else 0


@dataclass(eq=False)
class Ring:
    """Buffers [n, b, 3, H, W] for decoded batches, in channels_last or not, in memory that forked processes share."""

    decoder: Decoder
    batch: int
    layout: torch.memory_format
    processes: int = 0
    pinned: bool = False
    _free: deque[int] = field(default_factory=deque)

    def __post_init__(self) -> None:
        assert self.decoder.shape is not None
        self._piece = min(self.batch, _PIECE if self.processes else _THREADS_PIECE)
        workers = self.processes or min(_MOST_THREADS, cores().usable)
        self._ahead = -(-(workers + 1) * self._piece // self.batch)  # batches decoded ahead
        self._workers, n_buffers = workers, self._ahead + 2  # two more are on their way to the network
        self._free.extend(range(n_buffers))
        self._inputs = _buffers(n_buffers, self.batch, self.decoder.shape, self.layout, bool(self.processes))
        self._registered = self.pinned and _pin(self._inputs)

    def batches(self, batches: Iterable[Rows]) -> Iterator[Decoded]:
        """The batches in order. The user of a batch frees it; two may be in use at a time."""
        waiting: deque[tuple[Rows, int, list[Future[int]]]] = deque()
        todo = iter(batches)
        with self._pool() as pool:
            try:
                while True:
                    while len(waiting) <= self._ahead and self._free and (slots := next(todo, None)) is not None:
                        waiting.append((slots, buffer := self._free.popleft(), self._submit(pool, slots, buffer)))
                    if not waiting and self._free:
                        return
                    if not waiting:
                        raise RuntimeError("all buffers of decoded images are in use; free a batch before the next one")
                    yield self._decoded(*waiting.popleft())
            finally:
                pool.shutdown(cancel_futures=True)
                if self._registered:
                    _unpin(self._inputs)

    def write(self, buffer: int, start: int, slots: Rows) -> int:
        """Decodes a piece of a batch into its buffer, from the slot `start` on; the bytes of the images."""
        return self.decoder.write(self._inputs[buffer].numpy()[start : start + len(slots)], slots)

    def _submit(self, pool: Executor, slots: Rows, buffer: int) -> list[Future[int]]:
        work = _write_in_process if self.processes else self.write
        starts = range(0, len(slots), self._piece)
        return [pool.submit(work, buffer, start, slots[start : start + self._piece]) for start in starts]

    def _decoded(self, slots: Rows, buffer: int, pieces: list[Future[int]]) -> Decoded:
        try:
            n_bytes = sum(piece.result() for piece in pieces)
        except BrokenProcessPool as error:
            raise OSError(
                "a process that decodes images ended before its work, perhaps for lack of memory; give fewer "
                "(--decoders 2), or decode in threads (--decoders 0)"
            ) from error
        return Decoded(slots, self._inputs[buffer], n_bytes, lambda: self._free.append(buffer))

    def _pool(self) -> Executor:
        if not self.processes:
            return ThreadPoolExecutor(self._workers, thread_name_prefix="decode")
        fork = multiprocessing.get_context("fork")  # so the images and the preprocessing need not be pickled
        return ProcessPoolExecutor(self.processes, fork, initializer=_begin, initargs=(self,))


_ring: list[Ring] = []  # of this worker process


def _begin(ring: Ring) -> None:
    """Prepares a worker process: it leaves Ctrl-C to its parent, ends with it, and computes with one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux
    if prctl is not None:
        prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    torch.set_num_threads(1)  # a forked process cannot use its parent's threads
    _ring[:] = [ring]


def _write_in_process(buffer: int, start: int, slots: Rows) -> int:
    return _ring[0].write(buffer, start, slots)


def _buffers(n_buffers: int, batch: int, shape: torch.Size, layout: torch.memory_format, shared: bool) -> Tensor:
    """[n, b, 3, H, W] float32 in this layout. Shared memory is anonymous: the limit of /dev/shm does not concern it."""
    channels, height, width = shape
    last = layout == torch.channels_last
    stored = (n_buffers, batch, height, width, channels) if last else (n_buffers, batch, channels, height, width)
    n_values = int(np.prod(stored))
    memory = mmap.mmap(-1, max(1, 4 * n_values)) if shared else None
    flat = torch.empty(n_values) if memory is None else torch.frombuffer(memory, dtype=torch.float32, count=n_values)
    whole = flat.view(stored)
    return whole.permute(0, 1, 4, 2, 3) if last else whole


def _pin(buffers: Tensor) -> bool:
    """Locks the pages of all buffers for copies by the GPU itself; False if the driver refuses, which costs speed."""
    memory = buffers.untyped_storage()
    try:
        return int(_runtime().cudaHostRegister(memory.data_ptr(), memory.nbytes(), 0)) == 0
    except (RuntimeError, AssertionError, ImportError):
        return False


def _unpin(buffers: Tensor) -> None:
    torch.cuda.synchronize()
    _runtime().cudaHostUnregister(buffers.untyped_storage().data_ptr())


def _runtime() -> Any:
    """The functions of the CUDA runtime library."""
    return torch.cuda.cudart()  # type: ignore[no-untyped-call]
