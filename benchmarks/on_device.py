"""What a device does and whether it does it right, in at most ten minutes:

    python benchmarks/on_device.py                       # the GPU; writes benchmarks/results/on_device_<device>.json
    python benchmarks/on_device.py --device cpu --short  # a minute on the CPU, smaller everywhere

Parts: the self-test of `fewshot doctor`; embedding rates against the bare network on ready tensors; features against
the CPU's, across batch sizes, in bfloat16 and compiled; heads and fine-tuning on the device; out-of-memory, with a real
limit of the GPU's memory. A part that fails leaves its error, and the others go on; a part that would start after the
time limit is left out by name. Networks have random weights, so nothing is downloaded. Pictures are JPEG files of
noise, 500 x 375 px.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from fewshot.benchmarks import FOLDER
from fewshot.benchmarks.device_embedding import equality, out_of_memory, rate
from fewshot.benchmarks.device_heads import fine_tuning, heads

from fewshot.files.cores import cores
from fewshot.files.energy import driver_version
from fewshot.results import provenance
from fewshot.runs.self_test import decoding_rates, device_test

NETWORKS = ("tf_efficientnet_lite0", "resnet50", "vit_small_patch16_224", "vit_base_patch16_224")


@dataclass(frozen=True)
class Size:
    """How much each part does."""

    networks: tuple[str, ...] = NETWORKS
    compared: tuple[str, ...] = ("resnet50", "vit_small_patch16_224")
    n_tested: int = 128  # images of the self-test
    image_size: int = 224
    seconds: float = 4.0  # of each measurement of a rate
    n_equal: int = 256  # images whose features are compared
    batches: tuple[int, ...] = (16, 32, 128, 256, 512)
    n_ways: int = 500  # of the large episode
    n_episodes: int = 10_000  # small ones
    n_tuned: int = 5
    compiled: bool = True


FULL = Size()
SHORT = Size(
    ("tf_efficientnet_lite0",), ("resnet18", "vit_tiny_patch16_224"), 64, 64, 1.0, 64, (16, 128), 50, 200, 1, False
)
TINY = Size(("test_resnet",), ("test_vit",), 8, 32, 0.01, 8, (16,), 10, 20, 1, False)


def parts(device: torch.device, size: Size) -> dict[str, Callable[[], Any]]:
    """The parts in order, the important ones first."""
    of_equality = (size.n_equal, size.batches, size.compiled)
    return {
        "self-test": lambda: {**asdict(device_test(device, size.n_tested)), "decoding": decoding_rates()},
        "equality": lambda: [equality(device, network, size.image_size, *of_equality) for network in size.compared],
        "out of memory": lambda: out_of_memory(device, size.networks[-1], size.image_size),
        "heads": lambda: heads(device, size.n_ways, size.n_episodes),
        "fine-tuning": lambda: fine_tuning(device, size.n_tuned),
        "embedding": lambda: [
            rate(device, network, size.image_size, dtype, size.seconds)
            for network in size.networks
            for dtype in ("float32", "bfloat16")
        ],
    }


def measure(device: torch.device, size: Size, most_seconds: float) -> dict[str, Any]:
    """The results of all parts, with the machine."""
    start, found = time.monotonic(), dict[str, Any]()
    for name, part in parts(device, size).items():
        if time.monotonic() - start > most_seconds:
            found[name] = {"left out": f"the time limit of {most_seconds:g} s was reached"}
            continue
        began = time.monotonic()
        try:
            found[name] = part()
        except Exception as error:
            found[name] = {"error": f"{type(error).__name__}: {error}"}
        print(f"{name}: {time.monotonic() - began:.0f} s\n{json.dumps(found[name], indent=1)}", flush=True)
    return {"machine": machine(device), "short": size is not FULL, "seconds": round(time.monotonic() - start), **found}


def machine(device: torch.device) -> dict[str, Any]:
    """The device, the processor and the software."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": str(device),
        "name": name,
        "driver": driver_version(),
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "cudnn": torch.backends.cudnn.version() if device.type == "cuda" else None,  # type: ignore[no-untyped-call]
        "cores": cores().usable,
        "threads": torch.get_num_threads(),
        "versions": provenance.versions(),
    }


def table(found: dict[str, Any]) -> str:
    """The embedding rates as markdown."""
    lines = [
        "| network | dtype | fewshot, images/s | bare network | ratio | device busy |",
        "|---|---|---|---|---|---|",
    ]
    rows = found["embedding"] if isinstance(found["embedding"], list) else []
    lines += [
        f"| {row['network']} | {row['dtype']} | {row['images_per_second']:,.0f} | {row['bare']:,.0f} | "
        f"{row['ratio']:.2f} | {row['device_use']:.0%} |"
        for row in rows
    ]
    return "\n".join(lines)


def failures(found: dict[str, Any]) -> list[str]:
    """The parts with an error."""
    return [name for name, part in found.items() if isinstance(part, dict) and "error" in part]


def main() -> int:
    """Measures, writes the file and prints the table; 1 if a part failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--short", action="store_true", help="do less of everything")
    parser.add_argument("--seconds", type=float, default=480, help="start no part later than this (default: 480)")
    parser.add_argument("--out", type=Path, help="write to this file")
    given = parser.parse_args()
    device = torch.device(given.device)
    found = measure(device, SHORT if given.short else FULL, given.seconds)
    name = re.sub(r"\W+", "_", found["machine"]["name"] if device.type == "cuda" else "cpu").lower()
    out = given.out or FOLDER / "results" / f"on_device_{name}.json"
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{table(found)}\n\nwrote {out}")
    failed = failures(found)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
