"""The GPU of each worker process of this machine: its own, as far as there are enough.

A worker sees its GPU alone (CUDA_VISIBLE_DEVICES), so it needs no option and no number changes: tables of features know
kinds of devices, not their numbers.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_VISIBLE = "CUDA_VISIBLE_DEVICES"


def gpus_to_share(network: str | None, heads: str | None) -> list[str]:
    """The GPUs among which workers are divided, as CUDA_VISIBLE_DEVICES names them; empty if there are not several, if
    nothing runs on one, or if a user chose one, such as "cuda:1". `network` and `heads`: their devices; None: by
    default."""
    wanted = [device for device in (network, heads) if device is not None]
    if any(":" in device for device in wanted) or not (network is None or "cuda" in wanted):
        return []
    import torch

    visible = os.environ.get(_VISIBLE)
    count = torch.cuda.device_count()
    names = [str(number) for number in range(count)] if visible is None else visible.split(",")
    return [name.strip() for name in names[:count]] if count > 1 else []


def only(gpu: str | None) -> dict[str, str]:
    """What the environment of a process needs so that it sees this GPU alone; nothing for None."""
    return {} if gpu is None else {_VISIBLE: gpu}


@dataclass(eq=False)
class Shares:
    """The GPU of each of some processes."""

    gpus: Sequence[str]
    _of: dict[int, str] = field(default_factory=dict)  # by process

    def next(self, running: Iterable[int]) -> str | None:
        """The GPU that the fewest of the running processes use; None if there are none to share."""
        used = Counter(self._of[process] for process in running if process in self._of)
        return min(self.gpus, key=used.__getitem__, default=None)

    def take(self, process: int, gpu: str | None) -> None:
        """Notes the GPU of a process."""
        if gpu is not None:
            self._of[process] = gpu
