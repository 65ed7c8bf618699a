"""Embedding on a device that is not the CPU, in batches of other sizes, and with too little memory."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone
from fewshot.backbones.random_init import RandomInit
from fewshot.features.arithmetic import exact
from fewshot.features.batch_size import fitting_batch
from fewshot.features.out_of_memory import halved_until_it_fits, is_out_of_memory
from fewshot.features.settings import EmbeddingSettings
from fewshot.features.table import FeatureTable, feature_table
from tests.support.checkout import ROOT
from tests.support.pretend_device import pretended
from tests.support.random_pixels import pixels_through, random_images

ROWS = np.arange(70)


def table(backbone: Backbone, folder: Path, rows: np.ndarray = ROWS, **settings: object) -> FeatureTable:
    chosen = EmbeddingSettings(**settings)  # type: ignore[arg-type]
    return feature_table(random_images(200), backbone, rows, folder=folder, progress=False, settings=chosen)


@pytest.mark.parametrize("name", ["test_efficientnet", "test_vit", "test_resnet"])
def test_a_device_gives_the_features_of_the_cpu(name: str, tmp_path: Path) -> None:
    wanted = table(RandomInit(name, image_size=32).load(), tmp_path)
    with pretended() as device:
        backbone = RandomInit(name, image_size=32).load()
        backbone.network.to(device)
        assert backbone.device == device
        found = table(backbone, tmp_path)
    assert found.key != wanted.key
    features = wanted.gather(ROWS)
    # A batch of another size is rounded otherwise, in proportion to the vector and not to each of its values.
    assert ((found.gather(ROWS) - features).norm(dim=1) <= 2e-6 * features.norm(dim=1)).all()


@pytest.mark.parametrize("decoders", [0, 2])
def test_processes_and_threads_give_the_same_bits(decoders: int, tmp_path: Path) -> None:
    backbone = RandomInit("test_efficientnet", image_size=32).load()
    usual = table(backbone, tmp_path / "usual")
    other = table(backbone, tmp_path / "other", decoders=decoders)
    assert other.key == usual.key
    assert torch.equal(other.gather(ROWS), usual.gather(ROWS))


@pytest.mark.parametrize("batch", [16, 128])
def test_another_batch_is_another_table_whose_bits_do_not_depend_on_the_order(batch: int, tmp_path: Path) -> None:
    backbone = RandomInit("test_vit", image_size=32).load()
    usual = table(backbone, tmp_path)
    whole = table(backbone, tmp_path, batch=batch)
    part = table(backbone, tmp_path / "part", ROWS[5:40:3], batch=batch)
    assert whole.key != usual.key
    assert json.loads((whole.folder / "about.json").read_text())["batch"] == batch  # type: ignore[operator]
    assert torch.equal(part.gather(ROWS[5:40:3]), whole.gather(ROWS[5:40:3]))
    torch.testing.assert_close(whole.gather(ROWS), usual.gather(ROWS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch", [0, 48, 100, 2048])
def test_a_batch_without_the_slots_of_64_is_refused(batch: int) -> None:
    with pytest.raises(ValueError, match=rf"an embedding batch has 64 images, or a multiple .*got {batch}"):
        EmbeddingSettings(batch=batch)


def test_a_table_says_how_the_device_was_used(tmp_path: Path) -> None:
    use = table(RandomInit("test_vit", image_size=32).load(), tmp_path).use
    assert (use.n_images, use.n_bytes, use.batch) == (70, 70 * 12 * 12 * 3, 64)
    assert 0 < use.busy <= use.seconds
    assert " MB of images per s, device busy " in use.sentence()


class PretendedMemory:
    """Free bytes of a device, and the need of a batch of 64."""

    def __init__(self, free: int, need: int) -> None:
        self._free, self._need = free, need

    def free(self) -> int:
        return self._free

    def peak(self, work: Callable[[], object]) -> int:
        assert work() is not None
        return self._need


@pytest.mark.parametrize(
    ("free", "images", "batch"),
    [(1 << 40, 5000, 1024), (1 << 40, 300, 256), (1 << 40, 10, 64), (10_000_000, 5000, 256), (1, 5000, 64)],
)
def test_the_largest_batch_fills_half_of_the_free_memory(free: int, images: int, batch: int) -> None:
    backbone = pixels_through(nn.Flatten())
    found = fitting_batch(random_images(images), backbone, "float32", PretendedMemory(free, 1_000_000))
    assert found == batch
    assert fitting_batch(random_images(images), backbone, "float32") == 64  # the CPU


def test_float32_is_float32_on_a_gpu_and_the_settings_come_back() -> None:
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic, torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with exact(torch.device("cuda"), torch.float32):
            assert (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == (False, False, True)
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before[3])
    assert (cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == before[:3]


# Too little memory


class Narrow(nn.Module):
    """Means of the pixels; memory for `most` images."""

    def __init__(self, most: int, kind: type[Exception] = torch.cuda.OutOfMemoryError) -> None:
        super().__init__()
        self.most, self.kind, self.sizes = most, kind, list[int]()

    def __deepcopy__(self, _: object) -> Narrow:
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        self.sizes.append(len(inputs))
        if len(inputs) > self.most:
            raise self.kind("CUDA out of memory. Tried to allocate 2.00 GiB")
        return inputs.flatten(1) * 3


@pytest.mark.parametrize("kind", [torch.cuda.OutOfMemoryError, MemoryError])
def test_too_little_memory_halves_the_batch_with_the_result_of_that_batch(
    kind: type[Exception], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    short = pixels_through(Narrow(20, kind))
    with caplog.at_level(logging.WARNING):
        found = table(short, tmp_path / "short")
    halves = [record.getMessage() for record in caplog.records if "batch of" in record.getMessage()]
    assert halves == [
        "memory is too small for a batch of 64 images; fewshot goes on with batches of 32",
        "memory is too small for a batch of 32 images; fewshot goes on with batches of 16",
    ]
    wanted = table(pixels_through(Narrow(1000)), tmp_path / "wide", batch=16)
    assert (found.use.batch, found.key) == (16, wanted.key)
    assert torch.equal(found.gather(ROWS), wanted.gather(ROWS))


def test_memory_that_ends_later_leaves_no_table_of_two_batch_sizes(tmp_path: Path) -> None:
    network = Narrow(1000)
    backbone = pixels_through(network)
    table(backbone, tmp_path, ROWS[:30])
    network.most = 40
    found = table(backbone, tmp_path)
    assert (found.use.batch, found.n_embedded) == (32, 70)
    tables = {json.loads(path.read_text()).get("batch", 64) for path in tmp_path.glob("*/about.json")}
    assert tables == {32, 64}


def test_too_little_memory_for_one_image_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match="memory is too small even for a batch of one of the images; use a device"):
        table(pixels_through(Narrow(0)), tmp_path)


def test_other_errors_do_not_halve() -> None:
    sizes = []

    def work(size: int) -> int:
        sizes.append(size)
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        halved_until_it_fits(work, 64, "images")
    assert sizes == [64]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and a limit of memory")
def test_memory_that_the_system_refuses_halves_too() -> None:
    command = [sys.executable, "-m", "tests.support.short_memory"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["512"]


def test_an_error_of_the_allocator_is_recognised() -> None:
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ..."))
    assert is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    assert not is_out_of_memory(RuntimeError("out of range"))


# Compilation


@pytest.mark.slow
def test_a_compiled_network_is_another_table_of_nearly_the_same_features(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 48, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    backbone = pixels_through(network.requires_grad_(False))
    usual, compiled = table(backbone, tmp_path), table(backbone, tmp_path, compiled=True)
    assert compiled.key != usual.key
    torch.testing.assert_close(compiled.gather(ROWS), usual.gather(ROWS), rtol=1e-3, atol=1e-4)
