"""How well embedding uses the device: images and bytes a second, and the share of the time that the device computes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from fewshot.features.settings import BATCH


@dataclass(frozen=True)
class EmbeddingUse:
    """What embedding some images took. Bytes are those of the decoded images in RGB; `busy` is in seconds."""

    n_images: int = 0
    n_bytes: int = 0
    seconds: float = 0.0  # from the first image to the last, starting of processes included
    busy: float = 0.0  # during which the device had a batch to compute
    batch: int = BATCH  # images of a forward pass
    compiled: bool = False

    def sentence(self) -> str:
        """such as "38 MB of images per s, device busy 93 %"; "" before anything is known."""
        if not (self.n_bytes and self.seconds):
            return ""
        return f"{self.n_bytes / self.seconds / 1e6:,.3g} MB of images per s, device busy {100 * self.share:.0f} %"

    @property
    def share(self) -> float:
        """The share of the time that the device computed, in [0, 1]."""
        return min(1.0, self.busy / self.seconds) if self.seconds else 0.0


UNUSED = EmbeddingUse()


@dataclass(eq=False)
class UseMeter:
    """Measures the use of a device while images are embedded."""

    device: torch.device
    batch: int
    compiled: bool
    n_images: int = 0
    n_bytes: int = 0
    _start: float = field(default_factory=time.perf_counter)
    _busy: float = 0.0
    _running: list[tuple[Any, Any]] = field(default_factory=list)  # events of batches on a GPU

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Counts the time of a batch. On a GPU, which goes on alone, events in its queue measure it."""
        if self.device.type != "cuda":
            start = time.perf_counter()
            yield
            self._busy += time.perf_counter() - start
            return
        with torch.cuda.device(self.device):
            event: Any = torch.cuda.Event
            first, last = (event(enable_timing=True) for _ in range(2))
            first.record()
            yield
            last.record()
        self._running.append((first, last))

    def count(self, n_images: int, n_bytes: int) -> None:
        """Counts a finished batch."""
        self.n_images += n_images
        self.n_bytes += n_bytes
        self._collect()

    def _collect(self) -> None:
        """Adds the time of batches that the GPU has finished."""
        while self._running and self._running[0][1].query():
            first, last = self._running.pop(0)
            self._busy += first.elapsed_time(last) / 1000

    def use(self) -> EmbeddingUse:
        """The use so far."""
        self._collect()
        seconds = time.perf_counter() - self._start
        return EmbeddingUse(self.n_images, self.n_bytes, seconds, self._busy, self.batch, self.compiled)
