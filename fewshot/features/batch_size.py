"""The largest batch that fits in the free memory of a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.datasets import LabelledImages
from fewshot.features.arithmetic import exact
from fewshot.features.settings import BATCH, MOST_IMAGES, EmbeddingSettings

_SHARE = 0.5  # of the free memory; the rest is for copies ahead, and for what cuDNN wants beyond the measured batch


class DeviceMemory(Protocol):
    """The memory of a device."""

    def free(self) -> int: ...
    def peak(self, work: Callable[[], Any]) -> int: ...


class CudaMemory:
    """The memory of a GPU: what is free, with what torch holds unused, and the peak of some work beyond what was in use
    before."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def free(self) -> int:
        """Bytes that are free."""
        unused = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return int(torch.cuda.mem_get_info(self._device)[0]) + unused

    def peak(self, work: Callable[[], Any]) -> int:
        """Bytes that the work needs at its peak."""
        torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        work()
        torch.cuda.synchronize(self._device)
        return torch.cuda.max_memory_allocated(self._device) - before


def first_batch(images: LabelledImages, backbone: Backbone, dtype: str, settings: EmbeddingSettings) -> int:
    """The batch of these settings, before memory runs out."""
    return fitting_batch(images, backbone, dtype) if settings.batch is None else settings.batch


def fitting_batch(images: LabelledImages, backbone: Backbone, dtype: str, memory: DeviceMemory | None = None) -> int:
    """64 times a power of two, at most 1024: the largest batch for which half of the free memory is enough. 64 on the
    CPU, and for images that fill no larger batch."""
    if memory is None and backbone.device.type != "cuda":
        return BATCH
    memory = memory or CudaMemory(backbone.device)
    shape = backbone.preprocess(images.images[0]).shape
    inputs = torch.zeros(BATCH, *shape, device=backbone.device)

    def forward() -> Tensor:
        with exact(backbone.device, getattr(torch, dtype)):
            return backbone.embed(inputs)

    batch, each = BATCH, max(1, memory.peak(forward)) + 4 * inputs.numel()
    most = min(MOST_IMAGES, len(images))
    while 2 * batch <= most and (2 * batch // BATCH) * each <= _SHARE * memory.free():
        batch *= 2
    return batch
