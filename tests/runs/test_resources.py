"""The columns of throughput, memory and energy, and the rows that lack them."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import torch
from fewshot.benchmarks import FOLDER

from fewshot.episodes.shape import EpisodeShape
from fewshot.features.use import EmbeddingUse
from fewshot.files.cores import processor
from fewshot.files.energy import driver_version, joules
from fewshot.results.files import Results
from fewshot.results.resources import Resources
from fewshot.results.row import Row
from fewshot.runs.pipeline import run
from fewshot.runs.resources import ResourceMeter, embedding_costs, joined, peak_bytes, reset_peak, resources
from fewshot.runs.specs import RunSpec, Sampled
from tests.support.workbenches import bench

COLUMNS = list(Resources.__dataclass_fields__)
SPEC = RunSpec(
    "Digits()", "RawPixels(8)", "Prototype()", Sampled(EpisodeShape(3, 1, 2)), split="AllNovel()", n_episodes=4
)


class PretendedGpu:
    """A GPU that uses 2.5 J between two readings."""

    def __init__(self) -> None:
        self.resets, self.energy, self.name = 0, 100.0, "NVIDIA H200"

    def reset(self) -> None:
        self.resets += 1

    def peak_bytes(self) -> int:
        return 5_000

    def joules(self) -> float | None:
        self.energy += 2.5
        return self.energy


def test_a_part_has_the_peaks_so_far_and_the_energy_since_the_last_one() -> None:
    gpu = PretendedGpu()
    meter = ResourceMeter(torch.device("cpu"), gpu)
    first, second = meter.costs(), meter.costs()
    assert gpu.resets == 1
    assert first["peak_device_bytes"] == second["peak_device_bytes"] == "5000"
    assert first["device_joules"] == second["device_joules"] == "2.500"
    assert first["gpu"] == second["gpu"] == "NVIDIA H200"
    assert int(second["peak_memory_bytes"]) >= int(first["peak_memory_bytes"]) > 10_000_000


def test_the_cpu_has_no_energy_and_no_memory_of_its_own() -> None:
    assert set(ResourceMeter(torch.device("cpu")).costs()) <= {"peak_memory_bytes", "processor"}


def test_a_peak_starts_anew_with_a_run_and_is_read_from_the_system(tmp_path: Path) -> None:
    (tmp_path / "clear_refs").write_text("")
    (tmp_path / "status").write_text("VmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n")
    reset_peak(tmp_path / "clear_refs")
    assert (tmp_path / "clear_refs").read_text() == "5"
    assert peak_bytes(tmp_path / "status") == 2 << 20
    reset_peak(tmp_path / "absent" / "file")
    assert peak_bytes(tmp_path / "absent") is None


def test_the_use_of_several_tables_is_added() -> None:
    one = EmbeddingUse(10, 300, 2.0, 1.5, processes=("a",))
    other = EmbeddingUse(5, 100, 1.0, 0.25, 32, True, ("b", "a"))
    assert embedding_costs([one, other, EmbeddingUse()]) == {
        "image_bytes": "400",
        "seconds_busy": "1.750000",
        "embedding_batch": "64",
        "embedding_compiled": "1",
        "embedding_processes": "a b",
    }
    assert embedding_costs([EmbeddingUse()]) == {}


def test_a_part_has_the_largest_peaks_and_all_energy_of_the_processes_that_embedded_for_it() -> None:
    costs = {"image_bytes": "4", "peak_memory_bytes": "900", "peak_device_bytes": "20", "device_joules": "1.500"}
    own = {"peak_memory_bytes": "1000", "peak_device_bytes": "3", "device_joules": "2.000"}
    assert joined(costs, own) == {
        "image_bytes": "4",
        "peak_memory_bytes": "1000",
        "peak_device_bytes": "20",
        "device_joules": "3.500",
    }
    assert joined({}, own) == own


def test_a_row_has_the_throughput_of_what_it_embedded(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.jsonl")
    row = run(SPEC, results, bench(folder=tmp_path / "features"))
    assert row is not None
    assert row.images_per_second == round(row.n_embedded / row.seconds_embedding, 4)
    assert row.image_bytes_per_second is not None
    assert abs(row.image_bytes_per_second / row.images_per_second - 3 * 8 * 8) < 1
    assert row.device_use is not None
    assert 0 < row.device_use <= 1
    assert (row.embedding_batch, row.embedding_compiled, row.embedding_workers) == (64, False, 1)
    assert row.peak_memory_bytes is None or row.peak_memory_bytes > 10_000_000
    assert (row.peak_device_bytes, row.device_joules, row.gpu) == (None, None, "")
    assert row.processor == processor()
    assert Row.from_json(row.to_json()) == row


def test_a_row_of_cached_features_has_no_throughput(tmp_path: Path) -> None:
    run(SPEC, tmp_path / "first.jsonl", bench(folder=tmp_path / "features"))
    row = run(SPEC, tmp_path / "second.jsonl", bench(folder=tmp_path / "features"))
    assert row is not None
    assert (row.images_per_second, row.image_bytes_per_second, row.device_use, row.embedding_batch) == (None,) * 4


def test_parts_of_several_machines_name_all_of_them(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.jsonl")
    done = run(SPEC, results, bench(folder=tmp_path / "features"))
    assert done is not None
    parts = results.parts(done.run_id)
    (half,) = parts.read(2)
    parts.remove()
    for name, gpu, episodes in (("B", "NVIDIA L4", slice(0, 1)), ("A", "NVIDIA H200", slice(1, 2))):
        parts.write(half[episodes], {"processor": name, "gpu": gpu, "seconds_steady": "0.5", "n_steady": "1"})
    found = resources(parts.costs())
    assert (found.processor, found.gpu, found.seconds_per_episode) == ("A and B", "NVIDIA H200 and NVIDIA L4", 0.5)


def test_rows_of_before_lack_these_columns_and_read_as_they_did() -> None:
    line = (FOLDER / "results" / "quick.jsonl").read_text().splitlines()[0]
    kept = {name: value for name, value in json.loads(line).items() if name not in COLUMNS}
    row = Row.from_json(json.dumps(kept))
    assert [getattr(row, name) for name in COLUMNS] == [None, None, None, None, False, *[None] * 5, "", ""]
    assert {name: row.columns()[name] for name in kept if name in row.columns()} == kept


class PretendedDriver:
    """The functions of NVML that the energy needs."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes, handle: object) -> int:
        return 0 if uuid == b"GPU-1" else 6

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: object, value: object) -> int:
        ctypes.cast(value, ctypes.POINTER(ctypes.c_ulonglong))[0] = 12_345  # type: ignore[arg-type]
        return 3 if self.fails else 0

    def nvmlSystemGetDriverVersion(self, text: object, size: int) -> int:
        text.value = b"550.54.15"  # type: ignore[attr-defined]
        return 0


def test_the_driver_tells_energy_in_millijoules() -> None:
    assert joules("GPU-1", PretendedDriver()) == 12.345
    assert joules("GPU-2", PretendedDriver()) is None
    assert joules("GPU-1", PretendedDriver(fails=True)) is None
    assert joules("GPU-1", object()) is None
    assert driver_version(PretendedDriver()) == "550.54.15"
    assert driver_version(object()) == ""
