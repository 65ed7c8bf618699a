"""Batches on their way to a GPU and back: copied on a second stream while the batch before them is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor

from fewshot.features.decoding import Decoded, Rows


class Streams(Protocol):
    """What this file needs of a kind of device; `torch.cuda` has it."""

    def Stream(self, device: Any) -> Any: ...
    def current_stream(self, device: Any) -> Any: ...
    def stream(self, stream: Any) -> AbstractContextManager[Any]: ...


def on_device(
    batches: Iterable[Decoded], device: torch.device, streams: Streams | None = None
) -> Iterator[tuple[Decoded, Tensor]]:
    """The batches with their inputs on the device. The copy of a batch runs while the one before it is computed; a
    buffer is free again when its copy has ended, on the CPU when the next batch is wanted."""
    if streams is None and device.type == "cuda":
        streams = torch.cuda
    if streams is None:
        for decoded in batches:
            yield decoded, decoded.inputs.to(device)
            decoded.free()
        return
    aside, before = streams.Stream(device), None
    for decoded in batches:
        with streams.stream(aside):
            inputs = decoded.inputs.to(device, non_blocking=True)
            copied = aside.record_event()
        if before is not None:
            yield from _arrived(*before, streams, device)
        before = decoded, inputs, copied
    if before is not None:
        yield from _arrived(*before, streams, device)


def _arrived(
    decoded: Decoded, inputs: Tensor, copied: Any, streams: Streams, device: torch.device
) -> Iterator[tuple[Decoded, Tensor]]:
    current = streams.current_stream(device)
    current.wait_event(copied)
    inputs.record_stream(current)  # its memory is not taken again before the current stream has read it
    yield decoded, inputs
    copied.synchronize()
    decoded.free()


def fetched(computed: Iterable[tuple[Rows, Tensor]], streams: Streams | None = None) -> Iterator[tuple[Rows, Tensor]]:
    """The outputs on the CPU, in float32. A GPU never waits: each output is fetched after the next one is queued."""
    waiting: Callable[[], tuple[Rows, Tensor]] | None = None
    for slots, output in computed:
        if streams is None and output.device.type != "cuda":
            yield slots, output.float().cpu()
            continue
        arriving = _fetching(slots, output, streams or torch.cuda)
        if waiting is not None:
            yield waiting()
        waiting = arriving
    if waiting is not None:
        yield waiting()


def _fetching(slots: Rows, output: Tensor, streams: Streams) -> Callable[[], tuple[Rows, Tensor]]:
    """Queues the copy of an output; the function waits for its end."""
    values = output.float().to("cpu", non_blocking=True)  # CUDA fills pinned memory
    copied = streams.current_stream(output.device).record_event()

    def wait() -> tuple[Rows, Tensor]:
        copied.synchronize()
        return slots, values

    return wait
