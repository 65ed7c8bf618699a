"""The columns of a row that say what its run took of which machine. Older rows lack them, or some of them."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.results.columns import Columns


@dataclass(frozen=True)
class Resources(Columns):
    """Throughput, memory, energy and pace; None where nothing was embedded, or where the system or the driver is
    silent."""

    images_per_second: float | None = None  # while images are embedded, decoding and writing included
    image_bytes_per_second: float | None = None  # of the decoded images in RGB
    device_use: float | None = None  # share of that time in which the device had a batch to compute
    embedding_batch: int | None = None  # images of a forward pass
    embedding_compiled: bool = False  # by torch.compile
    embedding_workers: int | None = None  # processes that embedded: rates are those of one of them, in the mean
    peak_memory_bytes: int | None = None  # resident memory of the process: during the run if the system can count so
    peak_device_bytes: int | None = None  # memory of torch on the GPU
    device_joules: float | None = None  # energy of the whole GPU, other programs on it included
    seconds_per_episode: float | None = None  # to solve one, without the start of the process (runs/pace.py)
    processor: str = ""  # its model, such as "AMD EPYC 7B13"; of several if several machines solved parts of the run
    gpu: str = ""  # the model of the GPU that embedded, such as "NVIDIA H200"; "" on the CPU
