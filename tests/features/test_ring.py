"""Decoding ahead: the same inputs from threads and processes, errors in words, and no process that stays behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.features.decoding import Decoder, Rows
from fewshot.features.embedding import canonical_batches
from fewshot.features.ring import Ring, decoding_processes

PROCESSES = [0, 1, 3]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def decoder(preprocess: Callable[[Image.Image], Tensor] | None = None, count: int = 200) -> Decoder:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 6, 5, 3), dtype=np.uint8)
    images = LabelledImages("random", ArrayImages(pixels), np.zeros(count, np.int64), ("one",), f"random {count}")
    return Decoder(images, preprocess or RawPixels(4).load().preprocess, "own", torch.Size([3, 4, 4]))


def decoded(ring: Ring, rows: Rows) -> dict[int, Tensor]:
    """The input of every row, and of every empty slot as row -1."""
    inputs: dict[int, Tensor] = {}
    for batch in ring.batches(canonical_batches(rows, ring.batch)):
        assert batch.inputs.is_contiguous(memory_format=ring.layout)
        inputs |= dict(zip(batch.slots.tolist(), batch.inputs.clone(), strict=True))
        assert batch.n_bytes == 90 * int((batch.slots >= 0).sum())
        batch.free()
    return inputs


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch", [8, 64, 128])
def test_every_row_is_decoded_once_into_its_slot(processes: int, layout: torch.memory_format, batch: int) -> None:
    source, rows = decoder(), np.sort(np.random.default_rng(1).choice(200, 90, replace=False))
    inputs = decoded(Ring(source, batch, layout, processes), rows)
    assert set(inputs) - {-1} == set(rows.tolist())
    assert all(torch.equal(inputs[row], source.input(row)[0]) for row in rows.tolist())
    assert -1 not in inputs or not inputs[-1].any()


@pytest.mark.parametrize("processes", PROCESSES)
def test_two_batches_may_be_in_use_at_a_time(processes: int) -> None:
    ring, held, rows = Ring(decoder(), 16, torch.contiguous_format, processes), [], np.arange(200)
    for batch in ring.batches(canonical_batches(rows, 16)):
        held.append((batch, batch.inputs.clone()))
        if len(held) > 1:
            first, copy = held.pop(0)
            assert torch.equal(first.inputs, copy)
            first.free()


def test_buffers_that_never_come_back_are_an_error() -> None:
    ring = Ring(decoder(), 8, torch.contiguous_format)
    with pytest.raises(RuntimeError, match="all buffers of decoded images are in use; free a batch"):
        list(ring.batches(canonical_batches(np.arange(200), 8)))


def broken(image: Image.Image) -> Tensor:
    if image.getpixel((0, 0)) == decoder().images.images[77].getpixel((0, 0)):
        raise OSError("broken file")
    return torch.zeros(3, 4, 4)


@pytest.mark.parametrize("processes", PROCESSES)
def test_an_image_that_cannot_be_read_names_its_row(processes: int) -> None:
    ring = Ring(decoder(broken), 64, torch.contiguous_format, processes)
    with pytest.raises(ValueError, match="image row 77 of random cannot be read: broken file"):
        decoded(ring, np.arange(200))


@pytest.mark.parametrize("processes", PROCESSES)
def test_an_input_of_another_shape_names_its_row(processes: int) -> None:
    ring = Ring(decoder(lambda _: torch.zeros(3, 4, 5)), 64, torch.contiguous_format, processes)
    with pytest.raises(ValueError, match=r"should give \[3, 4, 4\] for every image, but gave \[3, 4, 5\] for row 0"):
        decoded(ring, np.arange(3))


def killed(_: Image.Image) -> Tensor:
    os.kill(os.getpid(), signal.SIGKILL)
    return torch.zeros(())


def test_a_process_that_is_killed_is_an_error_with_what_to_do() -> None:
    ring = Ring(decoder(killed), 64, torch.contiguous_format, 2)
    with pytest.raises(OSError, match=r"a process that decodes images ended before its work.*--decoders 2"):
        decoded(ring, np.arange(200))


def slow(_: Image.Image) -> Tensor:
    time.sleep(0.005)
    return torch.full((3, 4, 4), float(os.getpid()))


def test_processes_end_when_the_user_of_the_batches_stops() -> None:
    batches = Ring(decoder(slow), 16, torch.contiguous_format, 2).batches(canonical_batches(np.arange(200), 16))
    workers = {int(pid) for pid in next(batches).inputs.unique().tolist()} - {os.getpid()}
    batches.close()  # type: ignore[attr-defined]
    assert workers
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_processes_decode_for_a_device_if_there_are_cores_and_enough_images(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("meta")
    monkeypatch.setattr("fewshot.features.ring.cores", lambda: type("Cores", (), {"usable": 16}))
    assert decoding_processes(None, cpu, 10_000) == 0
    assert decoding_processes(None, gpu, 10_000) == 15
    assert decoding_processes(None, gpu, 100) == 0
    assert decoding_processes(3, cpu, 100) == 3
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert decoding_processes(3, gpu, 10_000) == 0
