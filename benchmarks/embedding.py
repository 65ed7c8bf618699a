"""Images a second of a feature table, decoding and writing included, against the network alone.

    python benchmarks/embedding.py --json embedding.json

About 3 minutes on 2 cores. Rounds alternate between `feature_table` over the embedded icons (EfficientNet-Lite0 at
128 px, float32, on the CPU) and a bare loop of timm's network over ready tensors in batches of 64. Each round is a
process of its own, because the table changes how the process keeps memory; starting and loading are not counted.
Measured on 2 cores: ratio 4.46 (4.05 to 5.08), 480 against 111 images a second; benchmarks/results/embedding.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORK = "tf_efficientnet_lite0"
IMAGE_SIZE = 128
BATCH = 64


def table_rate(n_images: int) -> float:
    """Images a second of `feature_table`, end to end, into an empty folder."""
    import numpy as np

    from fewshot.backbones.packaged import Packaged
    from fewshot.datasets.icons import Icons
    from fewshot.features import feature_table

    images = Icons("mono").load()
    backbone = Packaged(NETWORK, image_size=IMAGE_SIZE).load()
    with tempfile.TemporaryDirectory() as folder:
        feature_table(images, backbone, np.arange(2 * BATCH), folder=Path(folder) / "warm", progress=False)
        start = time.perf_counter()
        feature_table(images, backbone, np.arange(n_images), folder=Path(folder) / "cold", progress=False)
        return n_images / (time.perf_counter() - start)


def loop_rate(n_images: int) -> float:
    """Images a second of `network(inputs)` over ready tensors: timm's layout, the default allocator."""
    import torch

    from fewshot.backbones.packaged import Packaged

    network = Packaged(NETWORK, image_size=IMAGE_SIZE).load().network
    batches = [torch.randn(BATCH, 3, IMAGE_SIZE, IMAGE_SIZE) for _ in range(4)]
    n_batches = n_images // BATCH
    with torch.inference_mode():
        for batch in batches[:2]:
            network(batch)
        start = time.perf_counter()
        for index in range(n_batches):
            network(batches[index % 4])
        return n_batches * BATCH / (time.perf_counter() - start)


def measured(what: str, n_images: int) -> float:
    """The rate that a process of its own measures."""
    command = [sys.executable, __file__, "--round", what, "--images", str(n_images)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def compare(n_rounds: int, n_images: int) -> dict[str, object]:
    """Rates of both, in alternated rounds, and the median ratio of neighbours with its range."""
    table, loop = [], []
    for number in range(n_rounds):
        table.append(measured("table", n_images))
        loop.append(measured("loop", n_images))
        print(f"round {number + 1}: table {table[-1]:.0f}, loop {loop[-1]:.0f} images/s", flush=True)
    ratios = sorted(a / b for a, b in zip(table, loop, strict=True))
    quarter = len(ratios) // 4
    return {
        "ratio_median": statistics.median(ratios),
        "ratio_min": ratios[0],
        "ratio_max": ratios[-1],
        "ratio_quartiles": [ratios[quarter], ratios[-1 - quarter]],
        "table_median": statistics.median(table),
        "loop_median": statistics.median(loop),
        "table": table,
        "loop": loop,
        "network": NETWORK,
        "image_size": IMAGE_SIZE,
        "n_images": n_images,
    }


def main() -> None:
    """Parses the command line, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--round", choices=["table", "loop"], help="measure one round in this process")
    arguments = parser.parse_args()
    if arguments.round:
        print(table_rate(arguments.images) if arguments.round == "table" else loop_rate(arguments.images))
        return
    result = compare(arguments.rounds, arguments.images)
    print("ratio {ratio_median:.2f} ({ratio_min:.2f} to {ratio_max:.2f})".format_map(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
