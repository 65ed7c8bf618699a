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
from fewshot.features.independence import check_alone, is_doubtful
from fewshot.features.out_of_memory import is_out_of_memory
from fewshot.features.ring import Ring, decoding_processes
from fewshot.features.settings import BATCH, USUAL, EmbeddingSettings
from fewshot.features.streams import fetched, on_device
from fewshot.features.trials import Trial, gives, trial_of
from fewshot.features.use import UseMeter


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
        self._layout = torch.channels_last
        self._unchecked: Backbone | None = None  # a user's network, until the first batch
        self._trial: Trial | None = None  # of a faster form of the network, until the first batch
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
        compute = self._compute if self._settings.compiled else self._compute_first
        for decoded, inputs in on_device(batches, self._device):
            with self.meter.computing():
                output = compute(inputs)
            compute = self._compute
            still.check()
            if self._unchecked is not None:
                self._check_alone(self._unchecked, inputs, decoded.slots, output)
            yield decoded.slots, output
            self.meter.count(int((decoded.slots >= 0).sum()), decoded.n_bytes)
        still.check_values()

    def _check_alone(self, backbone: Backbone, inputs: Tensor, slots: Rows, output: Tensor) -> None:
        """Checks, once, that the features of an image do not depend on its batch."""
        self._unchecked = None
        if output.shape == (len(inputs), backbone.dim):  # else another error follows
            embed = functools.partial(self._compute_by, backbone)
            check_alone(backbone.name, embed, inputs, int(np.argmax(slots >= 0)), output, self._dtype)

    def _compute(self, inputs: Tensor) -> Tensor:
        return self._compute_by(self._backbone, inputs)

    def _compute_by(self, backbone: Backbone, inputs: Tensor) -> Tensor:
        with exact(self._device, self._dtype):
            return backbone.embed(inputs.contiguous(memory_format=self._layout))

    def _compute_first(self, inputs: Tensor) -> Tensor:
        """The features of the first batch. Takes the faster form of the network for all others."""
        output = self._compute_in_a_layout(inputs)
        trial, self._trial = self._trial, None
        faster = trial and trial(
            lambda network: gives(functools.partial(self._compute_by, self._with(network)), inputs, output)
        )
        if faster is not None:
            self._backbone = self._with(faster)
        return output

    def _compute_in_a_layout(self, inputs: Tensor) -> Tensor:
        """The features, in channels_last. From here on the network works in the usual layout if it cannot take
        channels_last, as one that calls `view` on its activations."""
        self._arrange(torch.channels_last)
        try:
            return self._compute(inputs)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
        self._arrange(torch.contiguous_format)
        return self._compute(inputs)

    def _arrange(self, layout: torch.memory_format) -> None:
        self._layout = layout
        self._backbone.network.to(memory_format=layout)

    def _with(self, network: nn.Module) -> Backbone:
        return dataclasses.replace(self._backbone, network=network)

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
        self._unchecked = self._backbone if is_doubtful(self._backbone) else None
        if self._settings.compiled:
            self._compute_in_a_layout(torch.zeros(2, *shape, device=self._device))
            self._backbone = self._with(compiled(self._backbone))
        elif self._device.type == "cpu":
            self._trial = trial_of(self._backbone.network, self._dtype, shape, len(rows) // self._batch)

    def _fold(self, shape: torch.Size) -> None:
        """Folds BatchNorm if the features of two noise pictures stay the same."""
        generator = torch.Generator().manual_seed(0)
        example = torch.randn(2, *shape, generator=generator).to(self._device)
        with exact(self._device, torch.float32):
            self._backbone = self._with(folded(self._backbone.network, example))


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
