"""The parts of benchmarks/on_device.py that embed: rates, equality with the CPU, and too little memory."""

from __future__ import annotations

import io
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.backbones.random_init import RandomInit
from fewshot.datasets import LabelledImages
from fewshot.features.arithmetic import exact
from fewshot.features.embedding import keep_freed_memory
from fewshot.features.folding import folded
from fewshot.features.settings import BATCH, USUAL, EmbeddingSettings
from fewshot.features.table import FeatureTable, feature_table
from fewshot.runs.self_test import largest_difference

_DIFFERENT = 64  # JPEG files


class Photos:
    """JPEG files of 500 x 375 smooth noise in memory, decoded on access: as large as photos of ImageNet."""

    def __init__(self, count: int) -> None:
        self._count = count
        random = np.random.default_rng(0)
        self._files = [_jpeg(random) for _ in range(min(count, _DIFFERENT))]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int, /) -> Image.Image:
        return Image.open(io.BytesIO(self._files[row % len(self._files)])).convert("RGB")


def _jpeg(random: np.random.Generator) -> bytes:
    coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize(
        (500, 375), Image.Resampling.BICUBIC
    )
    pixels = np.asarray(coarse).astype(np.int16) + random.integers(-12, 13, (375, 500, 3))
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def photos(count: int) -> LabelledImages:
    """So many photos of one class."""
    return LabelledImages("photos", Photos(count), np.zeros(count, np.int64), ("one",), f"photos {count}")


def backbone_on(name: str, image_size: int, device: torch.device) -> Backbone:
    """A network with random weights on a device."""
    return RandomInit(name, image_size=image_size).load().to(str(device))


def table(
    images: LabelledImages,
    backbone: Backbone,
    rows: NDArray[np.int64],
    dtype: str = "float32",
    settings: EmbeddingSettings = USUAL,
) -> FeatureTable:
    """The features of these rows, computed into a folder that is removed; the table stays readable."""
    with tempfile.TemporaryDirectory() as folder:
        return feature_table(images, backbone, rows, dtype, False, Path(folder), settings)


def rate(device: torch.device, name: str, image_size: int, dtype: str, seconds: float) -> dict[str, Any]:
    """Images per second of `feature_table` on photos, and of the bare network on ready tensors on the device."""
    backbone = backbone_on(name, image_size, device)
    bare = {batch: bare_rate(backbone, image_size, dtype, batch, seconds) for batch in (BATCH, 4 * BATCH)}
    n_images = max(BATCH, int(bare[BATCH] * seconds) // BATCH * BATCH)
    table(photos(n_images), backbone, np.arange(min(n_images, 2 * BATCH)), dtype)
    use = table(photos(n_images), backbone, np.arange(n_images), dtype).use
    found = use.n_images / use.seconds
    return {
        "network": f"{name} at {image_size} px",
        "dtype": dtype,
        "n_images": n_images,
        "images_per_second": round(found, 1),
        "bare": round(bare[BATCH], 1),
        "bare_of_256": round(bare[4 * BATCH], 1),
        "ratio": round(found / bare[BATCH], 3),
        "image_bytes_per_second": round(use.n_bytes / use.seconds),
        "device_use": round(use.share, 3),
    }


def bare_rate(backbone: Backbone, image_size: int, dtype: str, batch: int, seconds: float) -> float:
    """Images per second of the network alone, folded and in channels_last like an embedded one, over ready tensors."""
    device = backbone.device
    if device.type == "cpu":
        keep_freed_memory()
    inputs = torch.randn(batch, 3, image_size, image_size, device=device).to(memory_format=torch.channels_last)
    with exact(device, torch.float32):
        network = folded(backbone.network, inputs[:2]).to(memory_format=torch.channels_last)
    with exact(device, getattr(torch, dtype)), torch.inference_mode():
        for _ in range(2):
            network(inputs)
        finish(device)
        start = time.perf_counter()
        for count in itertools.count(1):
            network(inputs)
            if count % 8 == 0 or device.type == "cpu":
                finish(device)
                if time.perf_counter() - start > seconds:
                    return count * batch / (time.perf_counter() - start)
    raise AssertionError


def finish(device: torch.device) -> None:
    """Waits for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def equality(
    device: torch.device, name: str, image_size: int, n_images: int, batches: tuple[int, ...], compiled: bool
) -> dict[str, Any]:
    """Whether features have the same bits in another order and from processes, and how far they are from those of the
    CPU, of other batch sizes, of bfloat16 and of a compiled network."""
    images, rows = photos(n_images), np.arange(n_images)
    backbone = backbone_on(name, image_size, device)
    usual = table(images, backbone, rows).gather(rows)

    def off(**settings: Any) -> float:
        return _off(table(images, backbone, rows, settings=EmbeddingSettings(**settings)).gather(rows), usual)

    some = rows[5::3]
    found: dict[str, Any] = {
        "network": f"{name} at {image_size} px, {n_images} photos",
        "same_bits_again": torch.equal(table(images, backbone, rows).gather(rows), usual),
        "same_bits_in_another_order": torch.equal(table(images, backbone, some).gather(some), usual[some]),
        "same_bits_from_processes": off(decoders=2) == 0,
        "same_bits_from_threads": off(decoders=0) == 0,
        "from_batches_of_64": {str(batch): off(batch=batch) for batch in batches},
        "bfloat16": _off(table(images, backbone, rows, "bfloat16").gather(rows), usual),
    }
    if compiled:
        found["compiled"] = off(compiled=True)
    backbone.network.to("cpu")
    found["from_the_cpu"] = _off(table(images, backbone, rows).gather(rows), usual)
    return found


def _off(found: Tensor, wanted: Tensor) -> float:
    """The largest difference of a feature vector as a share of its length, with two digits."""
    return float(f"{largest_difference(found, wanted):.2g}")


def out_of_memory(device: torch.device, name: str, image_size: int) -> dict[str, Any]:
    """A real limit of the GPU's memory, below the need of a batch of 64: batches are halved, with the bits of that
    size."""
    if device.type != "cuda":
        return {"left out": "the memory of torch can be limited on a GPU only"}
    images, rows = photos(2 * BATCH), np.arange(2 * BATCH)
    backbone = backbone_on(name, image_size, device)
    whole = table(images, backbone, rows)
    peak = _peak(lambda: table(images, backbone, rows), device)
    with limited(device, torch.cuda.memory_allocated(device) + int(0.6 * peak)):
        halved = table(images, backbone, rows)
    wanted = table(images, backbone, rows, settings=EmbeddingSettings(halved.use.batch))
    return {
        "network": f"{name} at {image_size} px",
        "peak_bytes_of_64": peak,
        "batch": halved.use.batch,
        "halved": halved.use.batch < BATCH,
        "same_bits_as_that_batch": torch.equal(halved.gather(rows), wanted.gather(rows)),
        "from_batches_of_64": _off(halved.gather(rows), whole.gather(rows)),
    }


def _peak(work: Callable[[], object], device: torch.device) -> int:
    """The memory that some work needs at its peak, beyond what is in use before."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    work()
    return torch.cuda.max_memory_allocated(device) - before


@contextmanager
def limited(device: torch.device, n_bytes: int) -> Iterator[None]:
    """torch gets no more memory of the GPU than this."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, n_bytes / total), device)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
