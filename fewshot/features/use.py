"""How well embedding uses the device: images and bytes a second, and the share of the time that the device computes."""

from __future__ import annotations

import functools
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import torch

from fewshot.features.settings import BATCH


@dataclass(frozen=True)
class EmbeddingUse:
    """What embedding some images took. Bytes are those of the decoded images in RGB; `busy` is in seconds. The seconds
    of several processes are added, so rates are those of one process in the mean."""

    n_images: int = 0
    n_bytes: int = 0
    seconds: float = 0.0  # from the first image to the last, starting of processes included
    busy: float = 0.0  # during which the device had a batch to compute
    batch: int = BATCH  # images of a forward pass
    compiled: bool = False
    processes: tuple[str, ...] = ()  # the names of those that embedded
    # Of processes that embedded for another one, which measures its own: the largest peaks, and all energy.
    peak_memory_bytes: int = 0
    peak_device_bytes: int = 0
    device_joules: float = 0.0

    def sentence(self) -> str:
        """such as "38 MB of images per s, device busy 93 %"; "" before anything is known."""
        if not (self.n_bytes and self.seconds):
            return ""
        return f"{self.n_bytes / self.seconds / 1e6:,.3g} MB of images per s, device busy {100 * self.share:.0f} %"

    @property
    def share(self) -> float:
        """The share of the time that the device computed, in [0, 1]."""
        return min(1.0, self.busy / self.seconds) if self.seconds else 0.0

    def since(self, before: EmbeddingUse) -> EmbeddingUse:
        """What was used after `before`, an earlier use of the same meter."""
        return replace(self, **{name: getattr(self, name) - getattr(before, name) for name in _AMOUNTS})

    def part(self, share: float) -> EmbeddingUse:
        """This share of the amounts."""
        amounts = {name: share * getattr(self, name) for name in (*_AMOUNTS, "device_joules")}
        whole = {name: round(amounts[name]) for name in ("n_images", "n_bytes")}
        return replace(self, **{**amounts, **whole})

    def with_costs(self, costs: Mapping[str, str]) -> EmbeddingUse:
        """This use with the peaks and the energy of its process, by the names of their columns."""
        found: dict[str, Any] = {name: int(costs.get(name, 0)) for name in _PEAKS}
        return replace(self, **found, device_joules=float(costs.get("device_joules", 0)))

    @staticmethod
    def total(uses: Iterable[EmbeddingUse]) -> EmbeddingUse:
        """The use of several processes, or of one at several times."""
        found = [use for use in uses if use.n_images]
        if not found:
            return UNUSED
        sums = {name: sum(getattr(use, name) for use in found) for name in (*_AMOUNTS, "device_joules")}
        largest = {name: max(getattr(use, name) for use in found) for name in ("batch", "compiled", *_PEAKS)}
        processes = tuple(sorted({name for use in found for name in use.processes}))
        return EmbeddingUse(**sums, **largest, processes=processes)

    def to_json(self) -> dict[str, Any]:
        """The use as a JSON object."""
        return asdict(self) | {"processes": list(self.processes)}

    @staticmethod
    def from_json(values: object) -> EmbeddingUse | None:
        """The use of a JSON object; None for anything else."""
        if not isinstance(values, dict) or values.keys() != {each.name for each in fields(EmbeddingUse)}:
            return None
        names = values["processes"]
        numbers = [value for name, value in values.items() if name != "processes"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return None
        if not all(isinstance(number, int | float) and 0 <= number < _MOST for number in numbers):
            return None
        return EmbeddingUse(**{**values, "processes": tuple(names)})


_AMOUNTS = ("n_images", "n_bytes", "seconds", "busy")
_MOST = 1e18
_PEAKS = ("peak_memory_bytes", "peak_device_bytes")
UNUSED = EmbeddingUse()


def this_process() -> str:
    """A name of this process that no other one has, and that says nothing about the machine."""
    return _process_name(os.getpid())


@functools.cache
def _process_name(process: int) -> str:  # by number, so that a fork gets a name of its own
    return secrets.token_hex(6)


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
        by = (this_process(),)
        return EmbeddingUse(self.n_images, self.n_bytes, seconds, self._busy, self.batch, self.compiled, by)
