"""What a run takes of a machine while it is computed: the peak of memory, and the energy of the GPU; and which machine
that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fewshot.files import energy
from fewshot.files.cores import processor
from fewshot.files.memory import system_text
from fewshot.results.resources import Resources
from fewshot.runs.pace import N_STEADY, STEADY, seconds_per_episode

if TYPE_CHECKING:
    import torch

    from fewshot.features.use import EmbeddingUse
    from fewshot.results.parts import PartCosts

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")  # writing 5 resets the peak of resident memory


class Gpu(Protocol):
    """What a meter needs of a GPU."""

    @property
    def name(self) -> str: ...
    def reset(self) -> None: ...
    def peak_bytes(self) -> int: ...
    def joules(self) -> float | None: ...


class CudaGpu:
    """A GPU of CUDA."""

    def __init__(self, device: torch.device) -> None:
        import torch

        self._device, self._cuda = device, torch.cuda
        properties = torch.cuda.get_device_properties(device)
        self.name, self._uuid = str(properties.name), str(getattr(properties, "uuid", ""))

    def reset(self) -> None:
        """Starts a new peak."""
        self._cuda.reset_peak_memory_stats(self._device)

    def peak_bytes(self) -> int:
        """The most memory of torch's tensors since the reset."""
        return self._cuda.max_memory_allocated(self._device)

    def joules(self) -> float | None:
        """Energy since the driver was loaded."""
        return energy.joules(f"GPU-{self._uuid.removeprefix('GPU-')}") if self._uuid else None


class ResourceMeter:
    """Measures from its start on; `costs` gives what is new since the last call, for the metadata of a part."""

    def __init__(self, device: torch.device, gpu: Gpu | None = None) -> None:
        self._gpu = gpu or gpu_of(device)
        self._models = models(self._gpu)
        reset_peak()
        if self._gpu is not None:
            self._gpu.reset()
        self._joules = None if self._gpu is None else self._gpu.joules()

    def costs(self) -> dict[str, str]:
        """The peaks so far, the energy since the last call, and the models of processor and GPU."""
        peaks = {"peak_memory_bytes": peak_bytes()}
        if self._gpu is not None:
            peaks["peak_device_bytes"] = self._gpu.peak_bytes()
        texts = {name: str(value) for name, value in peaks.items() if value is not None}
        now = None if self._gpu is None else self._gpu.joules()
        if now is not None and self._joules is not None:
            texts["device_joules"] = f"{now - self._joules:.3f}"
        self._joules = now
        return texts | self._models


def gpu_of(device: torch.device) -> Gpu | None:
    """The GPU of a device of CUDA; None for others."""
    return CudaGpu(device) if device.type == "cuda" else None


def models(gpu: Gpu | None) -> dict[str, str]:
    """The models of the processor and of the GPU, as far as they are known."""
    texts = {"processor": processor(), "gpu": "" if gpu is None else gpu.name}
    return {name: text for name, text in texts.items() if text}


def embedding_costs(uses: list[EmbeddingUse]) -> dict[str, str]:
    """How the device was used to embed images, for the metadata of a part; empty if nothing was embedded."""
    from fewshot.features.use import EmbeddingUse

    use = EmbeddingUse.total(uses)
    if not use.n_images:
        return {}
    of_others = {name: getattr(use, name) for name in ("peak_memory_bytes", "peak_device_bytes", "device_joules")}
    return {
        "image_bytes": str(use.n_bytes),
        "seconds_busy": f"{use.busy:.6f}",
        "embedding_batch": str(use.batch),
        "embedding_compiled": str(int(use.compiled)),
        "embedding_processes": " ".join(use.processes),
        **{name: str(value) for name, value in of_others.items() if value},
    }


def joined(costs: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The costs of a part: those of processes that embedded for it, and its own. The largest peaks, and all energy."""
    both = {name: (costs[name], own[name]) for name in costs.keys() & own.keys()}
    peaks = {name: max(pair, key=int) for name, pair in both.items() if name.startswith("peak_")}
    energy = {name: f"{sum(map(float, pair)):.3f}" for name, pair in both.items() if name == "device_joules"}
    return {**costs, **own, **peaks, **energy}


def resources(costs: PartCosts) -> Resources:
    """The columns, from the metadata of all parts of a run."""
    n_embedded, seconds = costs.cost("n_embedded"), costs.cost("seconds_embedding")
    rate = 1 / seconds if n_embedded and seconds else None  # nothing was embedded: features came from the cache

    def per_second(name: str) -> float | None:
        count = costs.known_cost(name, sum)
        return None if count is None or rate is None else round(rate * count, 4)

    def largest(name: str) -> int | None:
        most = costs.known_cost(name, max)
        return None if most is None else int(most)

    names = set(" ".join(costs.known_texts("embedding_processes")).split())
    busy, joules = per_second("seconds_busy"), costs.known_cost("device_joules", sum)
    steady, n_steady = costs.known_cost(STEADY, sum), costs.known_cost(N_STEADY, sum)
    return Resources(
        images_per_second=per_second("n_embedded"),
        image_bytes_per_second=per_second("image_bytes"),
        device_use=None if busy is None else min(1.0, busy),
        embedding_batch=largest("embedding_batch"),
        embedding_compiled=bool(largest("embedding_compiled")),
        embedding_workers=len(names) or None,
        peak_memory_bytes=largest("peak_memory_bytes"),
        peak_device_bytes=largest("peak_device_bytes"),
        device_joules=None if joules is None else round(joules, 3),
        seconds_per_episode=seconds_per_episode(steady, n_steady),
        processor=" and ".join(costs.known_texts("processor")),
        gpu=" and ".join(costs.known_texts("gpu")),
    )


def peak_bytes(status: Path = _STATUS) -> int | None:
    """The peak of the process's resident memory since `reset_peak`, or since its start where that is not possible; None
    where the system does not say (not Linux)."""
    line = re.search(r"^VmHWM:\s+(\d+) kB", system_text(status), re.MULTILINE)
    return None if line is None else int(line.group(1)) << 10


def reset_peak(path: Path = _RESET) -> None:
    """Starts a new peak of the resident memory, if the system can."""
    try:
        path.write_text("5")
    except OSError:
        return
