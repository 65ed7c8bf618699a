"""Speed of embedding: a feature table, with decoding and writing, against the plain network of timm, and the reasons.

    python benchmarks/embedding.py --json benchmarks/results/embedding.json

A round takes a minute on 2 cores. Rounds alternate between `feature_table` on the bundled icons (EfficientNet-Lite0 at
128 px, float32, on the CPU) and plain loops of timm's network over ready tensors in batches of 64: unchanged, then
keeping freed memory, then with channels_last too, then with BatchNorm folded as well. Each round runs in its own
process, because memory settings belong to a process; starting and loading do not count. The error is the largest
||f - g|| / ||g|| of a row of the table, where g are the features of the unchanged network.
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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

NETWORK = "tf_efficientnet_lite0"
IMAGE_SIZE = 128
BATCH = 64
LOOPS = ("loop", "memory kept", "channels_last", "folded")  # each includes the changes of those before it
SIDES = ("table", *LOOPS)


def table_rate(n_images: int) -> float:
    """Images per second of `feature_table`, end to end, into an empty folder."""
    import numpy as np

    from fewshot.backbones.packaged import Packaged
    from fewshot.datasets.icons import Icons
    from fewshot.features.table import feature_table

    images = Icons("mono").load()
    backbone = Packaged(NETWORK, image_size=IMAGE_SIZE).load()
    with tempfile.TemporaryDirectory() as folder:
        feature_table(images, backbone, np.arange(2 * BATCH), folder=Path(folder) / "warm", progress=False)
        start = time.perf_counter()
        feature_table(images, backbone, np.arange(n_images), folder=Path(folder) / "cold", progress=False)
        return n_images / (time.perf_counter() - start)


def loop_rate(n_images: int, what: str = "loop") -> float:
    """Images per second of `network(inputs)` over ready tensors, with the changes of LOOPS up to `what`."""
    import torch

    from fewshot.backbones.packaged import Packaged

    network = Packaged(NETWORK, image_size=IMAGE_SIZE).load().network
    batches = [torch.randn(BATCH, 3, IMAGE_SIZE, IMAGE_SIZE) for _ in range(4)]
    network, batches = prepared(network, batches, LOOPS.index(what))
    n_batches = n_images // BATCH
    with torch.inference_mode():
        for batch in batches[:2]:
            network(batch)
        start = time.perf_counter()
        for index in range(n_batches):
            network(batches[index % 4])
        return n_batches * BATCH / (time.perf_counter() - start)


def prepared(network: nn.Module, batches: list[torch.Tensor], level: int) -> tuple[nn.Module, list[torch.Tensor]]:
    """The network and its inputs after the first `level` changes of LOOPS."""
    import torch

    from fewshot.features.embedding import keep_freed_memory
    from fewshot.features.folding import folded

    if level >= 1:
        keep_freed_memory()
    if level >= 3:
        network = folded(network, batches[0][:2])
    if level >= 2:
        network = network.to(memory_format=torch.channels_last)
        batches = [batch.to(memory_format=torch.channels_last) for batch in batches]
    return network, batches


def largest_error(n_images: int = 1024) -> float:
    """The largest relative error of a row of the table."""
    import numpy as np
    import torch

    from fewshot.backbones.packaged import Packaged
    from fewshot.datasets.icons import Icons
    from fewshot.features.table import feature_table

    images, rows = Icons("mono").load(), np.arange(n_images)
    backbone = Packaged(NETWORK, image_size=IMAGE_SIZE).load()
    with tempfile.TemporaryDirectory() as folder:
        features = feature_table(images, backbone, rows, folder=Path(folder), progress=False).gather(rows)
    inputs = [backbone.preprocess(images.images[row]) for row in range(n_images)]
    wanted = torch.cat([backbone.embed(torch.stack(inputs[low : low + BATCH])) for low in range(0, n_images, BATCH)])
    return float(((features - wanted).norm(dim=1) / wanted.norm(dim=1)).max())


def measured(what: str, n_images: int) -> float:
    """The rate, measured in a new process."""
    command = [sys.executable, __file__, "--round", what, "--images", str(n_images)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def compare(n_rounds: int, n_images: int) -> dict[str, object]:
    """The rates of all sides in alternating rounds, and the ratios of the table to each loop."""
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(n_rounds):
        for side in SIDES:
            rates[side].append(measured(side, n_images))
        print(f"round {number + 1}: {', '.join(f'{s} {r[-1]:.0f}' for s, r in rates.items())} images/s", flush=True)
    return {
        "ratios": {loop: ratio(rates["table"], rates[loop]) for loop in LOOPS},
        "images_per_second": {side: statistics.median(measurements) for side, measurements in rates.items()},
        "largest_error": largest_error(),
        "rates": rates,
        "network": NETWORK,
        "image_size": IMAGE_SIZE,
        "n_images": n_images,
    }


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """The median, least and largest ratio of neighbouring rounds."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    return {"median": statistics.median(ratios), "least": ratios[0], "largest": ratios[-1]}


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="run this many rounds (default: 7)")
    parser.add_argument("--images", type=int, default=1024, help="embed this many images per round (default: 1024)")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--round", choices=SIDES, help="measure one round in this process")
    arguments = parser.parse_args()
    if arguments.round:
        table = arguments.round == "table"
        print(table_rate(arguments.images) if table else loop_rate(arguments.images, arguments.round))
        return
    result = compare(arguments.rounds, arguments.images)
    print(json.dumps({name: result[name] for name in ("ratios", "images_per_second", "largest_error")}, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
