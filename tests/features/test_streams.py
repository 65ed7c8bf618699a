"""Batches on a device with streams: each is copied before it is computed, and its buffer is free after the copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from fewshot.features.decoding import Decoded
from fewshot.features.streams import fetched, on_device

CPU = torch.device("cpu")


class PretendedStreams:
    """Streams that write down the order of what happens."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.inside = ["main"]
        self.events = 0

    def Stream(self, device: Any) -> PretendedStream:
        return PretendedStream("side", self)

    def current_stream(self, device: Any) -> PretendedStream:
        return PretendedStream(self.inside[-1], self)

    @contextmanager
    def stream(self, stream: PretendedStream) -> Iterator[None]:
        self.inside.append(stream.name)
        yield
        self.inside.pop()


class PretendedStream:
    def __init__(self, name: str, streams: PretendedStreams) -> None:
        self.name, self._streams = name, streams

    def record_event(self) -> PretendedEvent:
        self._streams.events += 1
        self._streams.log.append(f"{self.name} records {self._streams.events}")
        return PretendedEvent(self._streams.events, self._streams)

    def wait_event(self, event: PretendedEvent) -> None:
        self._streams.log.append(f"{self.name} waits for {event.number}")


class PretendedEvent:
    def __init__(self, number: int, streams: PretendedStreams) -> None:
        self.number, self._streams = number, streams

    def synchronize(self) -> None:
        self._streams.log.append(f"cpu waits for {self.number}")


def batches(count: int, log: list[str]) -> Iterator[Decoded]:
    for number in range(1, count + 1):
        inputs = RecordedInputs(torch.full((2, 3), float(number)))
        yield Decoded(np.array([number, -1]), inputs, 6, lambda n=number: log.append(f"free {n}"))  # type: ignore[misc]


class RecordedInputs(torch.Tensor):
    """`record_stream` needs a device; here it does nothing."""

    def record_stream(self, stream: Any) -> None:
        pass


def test_each_batch_is_copied_while_the_one_before_it_is_computed() -> None:
    streams = PretendedStreams()
    for decoded, inputs in on_device(batches(3, streams.log), CPU, streams):
        streams.log.append(f"compute {int(inputs[0, 0])}")
        assert decoded.slots[0] == inputs[0, 0]
    assert streams.log == [
        *("side records 1", "side records 2"),
        *("main waits for 1", "compute 1", "cpu waits for 1", "free 1", "side records 3"),
        *("main waits for 2", "compute 2", "cpu waits for 2", "free 2"),
        *("main waits for 3", "compute 3", "cpu waits for 3", "free 3"),
    ]


def test_an_output_is_fetched_after_the_next_one_is_queued() -> None:
    streams = PretendedStreams()

    def outputs() -> Iterator[tuple[Any, torch.Tensor]]:
        for number in range(1, 4):
            streams.log.append(f"compute {number}")
            yield np.array([number]), torch.full((1,), number, dtype=torch.bfloat16)

    for slots, values in fetched(outputs(), streams):
        streams.log.append(f"write {slots[0]}")
        assert values.dtype == torch.float32
        assert values[0] == slots[0]
    assert streams.log == [
        *("compute 1", "main records 1", "compute 2", "main records 2", "cpu waits for 1", "write 1"),
        *("compute 3", "main records 3", "cpu waits for 2", "write 2", "cpu waits for 3", "write 3"),
    ]


def test_without_streams_each_batch_is_free_before_the_next() -> None:
    log: list[str] = []
    for decoded, _ in on_device(batches(2, log), CPU):
        log.append(f"compute {decoded.slots[0]}")
    assert log == ["compute 1", "free 1", "compute 2", "free 2"]
