"""Images through a network in canonical batches, decoded ahead.

Batches always have 64 images, and row r is always at slot r % 64: the last bits of a feature depend on the shape of the
batch and the place in it. With both fixed, they depend only on the image. Larger and smaller batches follow the same
rule with their own size, in tables of their own.
"""

from __future__ import annotations

import copy
import ctypes
import dataclasses
import functools
import platform
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fewshot.backbones import Backbone
from fewshot.backbones._stillness import Stillness
from fewshot.datasets import LabelledImages
from fewshot.features.arithmetic import exact
from fewshot.features.compilation import compiled
from fewshot.features.decoding import Decoded, Decoder, Rows
from fewshot.features.folding import folded
from fewshot.features.fusing import FEWEST_BATCHES, gives, rectified
from fewshot.features.ring import Ring, decoding_processes
from fewshot.features.settings import BATCH, USUAL, EmbeddingSettings
from fewshot.features.streams import fetched, on_device
from fewshot.features.use import UseMeter

DTYPES = ("float32", "bfloat16")


class Embedder:
    """A copy of a backbone, with folded BatchNorm and the fastest memory layout for its device, and its images."""

    def __init__(
        self,
        images: LabelledImages,
        backbone: Backbone,
        dtype: str,
        settings: EmbeddingSettings = USUAL,
    ) -> None:
        self._images = images
        self._dtype = getattr(torch, dtype)
        self._settings, self._batch = settings, settings.batch or BATCH
        self._device = backbone.device
        self._backbone = dataclasses.replace(backbone, network=copy.deepcopy(backbone.network))
        self._decoder = Decoder(images, backbone.preprocess, backbone.name)
        self._layout = torch.contiguous_format
        self._rectified: nn.Module | None = None  # until the first batch
        self.meter = UseMeter(self._device, self._batch, settings.compiled)
        if self._device.type == "cpu":
            keep_freed_memory()

    def features(self, rows: Rows) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """Yields batches of rows and their features [len, D], every row once. NaN or infinity is a ValueError."""
        self._prepare(rows)
        processes = decoding_processes(self._settings.decoders, self._device, len(rows))
        ring = Ring(self._decoder, self._batch, self._layout, processes, self._device.type == "cuda")
        batches = ring.batches(canonical_batches(rows, self._batch))
        for slots, output in fetched(self._outputs(batches)):
            wanted, values = (self._batch, self._backbone.dim), output.numpy()
            if values.shape != wanted:
                raise ValueError(
                    f"{self._backbone.name} should give {list(wanted)} features, but gave {list(values.shape)}"
                )
            used = slots >= 0
            values, batch = values[used], slots[used]
            self._check_finite(batch, values)
            yield batch, values

    def _outputs(self, batches: Iterator[Decoded]) -> Iterator[tuple[Rows, Tensor]]:
        """The slots of each batch and its features on the device, which may still be computing them."""
        still = Stillness(self._backbone.network, self._backbone.name, "embedding")
        for decoded, inputs in on_device(batches, self._device):
            with self.meter.computing():
                output = self._compute(inputs)
                self._take_rectified(inputs, output)
            still.check()
            yield decoded.slots, output
            self.meter.count(int((decoded.slots >= 0).sum()), decoded.n_bytes)
        still.check_values()

    def _compute(self, inputs: Tensor) -> Tensor:
        with exact(self._device, self._dtype):
            return self._backbone.embed(inputs)

    def _check_finite(self, rows: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        broken = rows[~np.isfinite(values).all(axis=1)]
        if len(broken):
            raise ValueError(
                f"{self._backbone.name} gives NaN or infinite features, first for image row "
                f"{broken.min()} of {self._images.name}; check its weights, or dtype"
            )

    def _prepare(self, rows: Rows) -> None:
        """Brings the network into its fastest form for inputs like that of the first of these rows."""
        shape = self._decoder.input(int(rows[0]))[0].shape
        self._decoder = dataclasses.replace(self._decoder, shape=shape)
        self._fold(shape)
        self._layout = self._fastest_layout(shape)
        if self._settings.compiled:
            self._backbone = dataclasses.replace(self._backbone, network=compiled(self._backbone))
        elif (self._device.type, self._dtype) == ("cpu", torch.float32) and len(rows) >= FEWEST_BATCHES * self._batch:
            self._rectified = rectified(self._backbone.network, torch.zeros(2, *shape))

    def _take_rectified(self, inputs: Tensor, output: Tensor) -> None:
        """Computes ReLUs in convolutions from now on, if that gives the same bits for the first batch."""
        if self._rectified is None:
            return
        backbone, self._rectified = dataclasses.replace(self._backbone, network=self._rectified), None
        if gives(backbone.embed, inputs, output):
            self._backbone = backbone

    def _fold(self, shape: torch.Size) -> None:
        """Folds BatchNorm if the features of two noise pictures stay the same."""
        generator = torch.Generator().manual_seed(0)
        example = torch.randn(2, *shape, generator=generator).to(self._device)
        with exact(self._device, torch.float32):
            network = folded(self._backbone.network, example)
        self._backbone = dataclasses.replace(self._backbone, network=network)

    def _fastest_layout(self, shape: torch.Size) -> torch.memory_format:
        """channels_last, unless the network cannot take it (one that calls `view` on its activations)."""
        network = self._backbone.network
        example = torch.zeros(2, *shape, device=self._device)
        try:
            network.to(memory_format=torch.channels_last)
            self._compute(example.to(memory_format=torch.channels_last))
        except RuntimeError:
            network.to(memory_format=torch.contiguous_format)
            return torch.contiguous_format
        return torch.channels_last


def canonical_batches(rows: Rows, size: int = BATCH) -> Rows:
    """[batches, size] sorted unique rows at their slots, -1 where a slot is empty: row r is at slot r % size, and
    batch j takes the j-th row of every slot."""
    slot = rows % size
    order = np.argsort(slot, kind="stable")
    counts = np.bincount(slot, minlength=size)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    batches = np.full((counts.max(initial=0), size), -1, dtype=np.int64)
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
