"""Images through a network in canonical batches, decoded ahead by a few threads.

Batches always have 64 images, and row r is always at slot r % 64: the last bits of a feature depend on the shape of the
batch and the place in it. With both fixed, they depend only on the image.
"""

from __future__ import annotations

import copy
import ctypes
import dataclasses
import functools
import os
import platform
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.backbones._stillness import buffers_of, check_still
from fewshot.datasets import LabelledImages
from fewshot.features.folding import folded

BATCH = 64
THREADS = min(4, os.cpu_count() or 1)
DTYPES = ("float32", "bfloat16")


class Embedder:
    """A copy of a backbone, with folded BatchNorm and the fastest memory layout for its device, and its images."""

    def __init__(self, images: LabelledImages, backbone: Backbone, dtype: str) -> None:
        self._images = images
        self._dtype = getattr(torch, dtype)
        self._device = backbone.device
        self._backbone = dataclasses.replace(backbone, network=copy.deepcopy(backbone.network))
        self._shape: torch.Size | None = None  # [3, H, W] of an input, from the first one
        self._layout = torch.contiguous_format
        if self._device.type == "cpu":
            keep_freed_memory()

    def features(self, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yields batches of rows and their features [len, D], every row once. NaN or infinity is a ValueError."""
        batches = canonical_batches(rows)
        self._shape = self._input(int(rows[0])).shape
        self._fold(self._shape)
        self._layout = self._fastest_layout(self._shape)
        still = buffers_of(self._backbone.network)
        for slots, inputs in self._ahead(batches):
            used = slots >= 0
            values = self._compute(inputs).float().cpu().numpy()
            check_still(self._backbone.network, still, self._backbone.name, "embedding")
            if values.shape != (BATCH, self._backbone.dim):
                raise ValueError(
                    f"{self._backbone.name} should give [{BATCH}, {self._backbone.dim}] features, "
                    f"but gave {list(values.shape)}"
                )
            values, batch = values[used], slots[used]
            self._check_finite(batch, values)
            yield batch, values

    def _compute(self, inputs: Tensor) -> Tensor:
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            return self._backbone.embed(inputs.to(self._device))

    def _check_finite(self, rows: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        broken = rows[~np.isfinite(values).all(axis=1)]
        if len(broken):
            raise ValueError(
                f"{self._backbone.name} gives NaN or infinite features, first for image row "
                f"{broken.min()} of {self._images.name}; check its weights, or dtype"
            )

    def _fold(self, shape: torch.Size) -> None:
        """Folds BatchNorm if the features of two noise pictures stay the same."""
        generator = torch.Generator().manual_seed(0)
        example = torch.randn(2, *shape, generator=generator).to(self._device)
        network = folded(self._backbone.network, example)
        self._backbone = dataclasses.replace(self._backbone, network=network)

    def _fastest_layout(self, shape: torch.Size) -> torch.memory_format:
        """channels_last, unless the network cannot take it (one that calls `view` on its activations)."""
        network = self._backbone.network
        example = torch.zeros(2, *shape)
        try:
            network.to(memory_format=torch.channels_last)
            self._compute(example.to(memory_format=torch.channels_last))
        except RuntimeError:
            network.to(memory_format=torch.contiguous_format)
            return torch.contiguous_format
        return torch.channels_last

    def _ahead(self, batches: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """Batches with their inputs, in order; decodes at most one batch per thread ahead."""
        waiting: deque[tuple[NDArray[np.int64], Future[Tensor]]] = deque()
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="decode")
        try:
            for slots in batches:
                waiting.append((slots, pool.submit(self._inputs, slots)))
                if len(waiting) > THREADS:
                    ready, inputs = waiting.popleft()
                    yield ready, inputs.result()
            while waiting:
                ready, inputs = waiting.popleft()
                yield ready, inputs.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _inputs(self, slots: NDArray[np.int64]) -> Tensor:
        """[64, 3, H, W] inputs in the network's layout; empty slots are zero."""
        assert self._shape is not None
        channels, height, width = self._shape
        if self._layout == torch.channels_last:
            inputs = np.zeros((BATCH, height, width, channels), dtype=np.float32).transpose(0, 3, 1, 2)
        else:
            inputs = np.zeros((BATCH, channels, height, width), dtype=np.float32)
        for slot in np.flatnonzero(slots >= 0):
            inputs[slot] = self._input(int(slots[slot])).numpy()
        return torch.from_numpy(inputs)

    def _input(self, row: int) -> Tensor:
        """The preprocessed image [3, H, W] of a row. Every error names the row."""
        try:
            tensor = self._backbone.preprocess(self._images.images[row])
        except Exception as error:
            raise ValueError(f"image row {row} of {self._images.name} cannot be read: {error}") from error
        expected = self._shape or tensor.shape
        if tensor.ndim != 3 or tensor.shape != expected:
            raise ValueError(
                f"the preprocessing of {self._backbone.name} should give {list(expected)} for every "
                f"image, but gave {list(tensor.shape)} for row {row}"
            )
        return tensor


def canonical_batches(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """[batches, 64] sorted unique rows at their slots, -1 where a slot is empty: row r is at slot r % 64, and
    batch j takes the j-th row of every slot."""
    slot = rows % BATCH
    order = np.argsort(slot, kind="stable")
    counts = np.bincount(slot, minlength=BATCH)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    batches = np.full((counts.max(initial=0), BATCH), -1, dtype=np.int64)
    batches[rank, slot[order]] = rows[order]
    return batches


@functools.cache
def keep_freed_memory() -> bool:
    """Lets the C library keep freed memory of up to 1 GiB for the next batch, for the whole process; True if it does.

    Without it the system takes back every activation and returns its memory page by page. Needs glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    trim_threshold, mmap_threshold = -1, -3
    library = ctypes.CDLL(None)
    return bool(library.mallopt(mmap_threshold, 1 << 30) and library.mallopt(trim_threshold, 1 << 30))
