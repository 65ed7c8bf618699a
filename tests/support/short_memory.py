"""A process that halves real memory: `python -m tests.support.short_memory` prints the size that fitted, in MiB."""

from __future__ import annotations

import resource
from pathlib import Path

import torch

from fewshot.features.out_of_memory import halved_until_it_fits


def allocated(size: int) -> int:
    """Works in `size` MiB, in one tensor."""
    return torch.empty(size << 20, dtype=torch.uint8).numel()


def main() -> None:
    """The system refuses more than 600 MiB beyond what the process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (600 << 20),) * 2)
    print(halved_until_it_fits(allocated, 4096, "megabytes")[1])


if __name__ == "__main__":
    main()
