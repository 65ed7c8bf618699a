"""Speed of embedding on the CPU: a feature table, with decoding and writing, against the plain network of timm.

    python benchmarks/embedding.py --json benchmarks/results/embedding.json

Rounds alternate between `feature_table` on the bundled icons, into an empty folder, and plain loops of timm's network
over ready tensors in batches of 64. Each round runs in its own process, because memory settings belong to a process.
Starting and loading do not count. The networks are EfficientNet-Lite0 at 128 px, and a ViT-S/16 and a ResNet-50 at
224 px with random weights (--network). The sides of a round:

- table: `feature_table` in float32;
- loop: the network of timm, unchanged;
- memory kept: the same loop in a process that keeps freed memory, as ours does: the fair comparison;
- channels_last, folded: the loop after each further step that ours takes before the first batch;
- table bfloat16, loop bfloat16: the table with `--dtype bfloat16`, and the loop under torch.autocast, memory kept;
- compiled: a loop of the network under `--compile`, memory kept. Compilation does not count; `start_seconds` holds it.

Rates are in images per second of wall time and of processor time (user and system). Processor time is the one to
compare on a shared machine. The error is the largest ||f - g|| / ||g|| of a row of the table, where g are the features
of the unchanged network.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fewshot.backbones import Backbone

BATCH = 64
LOOPS = ("loop", "memory kept", "channels_last", "folded")  # each includes the changes of those before it
SIDES = ("table", *LOOPS, "table bfloat16", "loop bfloat16", "compiled")
CLOCKS = ("wall", "processor")


@dataclass(frozen=True)
class Network:
    """A network, and the images of a table and of a loop."""

    spec: str
    n_table: int
    n_loop: int

    def load(self) -> Backbone:
        """Its backbone."""
        from fewshot.plugins.registry import BACKBONES

        backbone: Backbone = BACKBONES.make(self.spec).load()
        return backbone


NETWORKS = {
    "lite0": Network("Packaged('tf_efficientnet_lite0', image_size=128)", 2048, 512),
    "vit_small_patch16_224": Network("RandomInit('vit_small_patch16_224')", 256, 64),
    "resnet50": Network("RandomInit('resnet50')", 512, 64),
}


@dataclass(frozen=True)
class Measured:
    """Images per second of both clocks, and the seconds of a compilation before them."""

    wall: float
    processor: float
    start_seconds: float = 0.0


class Clocks:
    """Measures from its creation on."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), time.process_time()

    def rates(self, n_images: int, start_seconds: float = 0.0) -> Measured:
        """The rates of so many images since then."""
        wall, processor = time.perf_counter() - self._start[0], time.process_time() - self._start[1]
        return Measured(n_images / wall, n_images / processor, start_seconds)


def table_rates(network: Network, n_images: int, dtype: str = "float32") -> Measured:
    """The rates of `feature_table`, end to end, into an empty folder."""
    import numpy as np

    from fewshot.datasets.icons import Icons
    from fewshot.features.table import feature_table

    images, backbone = Icons("mono").load(), network.load()
    with tempfile.TemporaryDirectory() as folder:
        feature_table(images, backbone, np.arange(BATCH), dtype, folder=Path(folder) / "warm", progress=False)
        clocks = Clocks()
        feature_table(images, backbone, np.arange(n_images), dtype, folder=Path(folder) / "cold", progress=False)
        return clocks.rates(n_images)


def loop_rates(network: Network, n_images: int, what: str = "loop") -> Measured:
    """The rates of `network(inputs)` over ready tensors, with the changes of a side."""
    import torch

    from fewshot.features.arithmetic import exact

    backbone = network.load()
    size = backbone.preprocess(_blank()).shape
    module, batches = prepared(backbone, [torch.randn(BATCH, *size) for _ in range(2)], what)
    dtype = torch.bfloat16 if what == "loop bfloat16" else torch.float32
    n_batches, start = n_images // BATCH, time.perf_counter()
    with torch.inference_mode(), exact(torch.device("cpu"), dtype):
        module(batches[0])
        seconds, clocks = time.perf_counter() - start, Clocks()
        for index in range(n_batches):
            module(batches[index % 2])
        return clocks.rates(n_batches * BATCH, seconds if what == "compiled" else 0.0)


def prepared(backbone: Backbone, batches: list[torch.Tensor], what: str) -> tuple[nn.Module, list[torch.Tensor]]:
    """The network and its inputs after the changes of a side."""
    import torch

    from fewshot.features.compilation import Compiled
    from fewshot.features.embedding import keep_freed_memory
    from fewshot.features.folding import folded

    network, level = backbone.network, {"loop bfloat16": 1, "compiled": 3}.get(what)
    level = LOOPS.index(what) if level is None else level
    if level >= 1:
        keep_freed_memory()
    if level >= 3:
        network = folded(network, batches[0][:2])
    if level >= 2:
        network = network.to(memory_format=torch.channels_last)
        batches = [batch.to(memory_format=torch.channels_last) for batch in batches]
    return Compiled(network, backbone.name) if what == "compiled" else network, batches


def largest_error(network: Network, n_images: int, dtype: str) -> float:
    """The largest relative error of a row of the table."""
    import numpy as np
    import torch

    from fewshot.datasets.icons import Icons
    from fewshot.features.table import feature_table

    images, rows, backbone = Icons("mono").load(), np.arange(n_images), network.load()
    with tempfile.TemporaryDirectory() as folder:
        features = feature_table(images, backbone, rows, dtype, folder=Path(folder), progress=False).gather(rows)
    some = rows[-BATCH:]
    wanted = backbone.embed(torch.stack([backbone.preprocess(images.images[row]) for row in some.tolist()]))
    return float(((features[some] - wanted).norm(dim=1) / wanted.norm(dim=1)).max())


def table_rate(n_images: int) -> float:
    """Images per second of wall time of a table of EfficientNet-Lite0."""
    return table_rates(NETWORKS["lite0"], n_images).wall


def loop_rate(n_images: int) -> float:
    """Images per second of wall time of timm's EfficientNet-Lite0."""
    return loop_rates(NETWORKS["lite0"], n_images).wall


def _blank() -> Any:
    from PIL import Image

    return Image.new("RGB", (64, 64))


def side(name: str, what: str) -> Any:
    """What one process measures: a side, or the error."""
    network = NETWORKS[name]
    if what == "error":
        return largest_error(network, network.n_table, "float32")
    if what == "error bfloat16":
        return largest_error(network, BATCH, "bfloat16")
    if what.startswith("table"):
        return vars(table_rates(network, network.n_table, "bfloat16" if "bfloat16" in what else "float32"))
    return vars(loop_rates(network, network.n_loop, what))


def measured(name: str, what: str, threads: int) -> Any:
    """What a new process measures."""
    command = [sys.executable, __file__, "--network", name, "--round", what]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{name}, {what}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.splitlines()[-1])


def add_round(line: dict[str, Any], name: str, sides: Sequence[str], threads: int) -> Iterator[dict[str, Any]]:
    """Adds a round to the rates of a network; yields the line after every side."""
    for what in sides:
        rates = Measured(**measured(name, what, threads))
        for clock in CLOCKS:
            line["rates"].setdefault(what, {}).setdefault(clock, []).append(getattr(rates, clock))
        if rates.start_seconds:
            line["start_seconds"] = rates.start_seconds
        print(f"{name}, {what}: {rates.wall:.1f} (processor {rates.processor:.1f}) images/s", flush=True)
        yield summarised(line)


def summarised(line: dict[str, Any]) -> dict[str, Any]:
    """The line with its medians, and the ratios of the table to each other side, of neighbouring rounds."""
    for clock in CLOCKS:
        rates = {what: found[clock] for what, found in line["rates"].items()}
        line[f"{clock}_images_per_second"] = {what: statistics.median(found) for what, found in rates.items()}
        pairs = [("table", what) for what in LOOPS if what in rates] + [("table bfloat16", "loop bfloat16")]
        line[f"{clock}_ratios"] = {
            f"{ours} / {theirs}": ratio(rates[ours], rates[theirs])
            for ours, theirs in pairs
            if ours in rates and theirs in rates
        }
    return line


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """The median, least and largest ratio of neighbouring rounds."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=False))
    return [statistics.median(ratios), ratios[0], ratios[-1]]


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=list(NETWORKS), action="append", help="only this network; repeatable")
    parser.add_argument("--side", choices=SIDES, action="append", help="only this side; repeatable")
    parser.add_argument("--rounds", type=int, default=3, help="run this many rounds (default: 3)")
    parser.add_argument("--threads", type=int, default=1, help="threads of all sides (default: 1)")
    parser.add_argument("--more", action="store_true", help="add rounds to those in the file of --json")
    parser.add_argument("--json", type=Path, help="write all numbers to this file; other networks in it stay")
    parser.add_argument("--round", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.network or list(NETWORKS)
    if arguments.round:
        print(json.dumps(side(names[0], arguments.round)))
        return
    for name in names:
        measure(name, arguments.side or SIDES, arguments.rounds, arguments.threads, arguments.json, arguments.more)


def measure(name: str, sides: Sequence[str], n_rounds: int, threads: int, json_file: Path | None, more: bool) -> None:
    """Measures a network, and writes its line after every side."""
    from fewshot.benchmarks.rounds import machine

    kept = json.loads(json_file.read_text()) if json_file and json_file.is_file() else {}
    network = NETWORKS[name]
    about: dict[str, Any] = {"backbone": network.spec, "n_images": [network.n_table, network.n_loop]}
    about |= {"threads": threads, "machine": machine()}
    line: dict[str, Any] = kept.get(name, {}) if more else {}
    if not line:
        line = about | {"rates": {}}
        line["largest_error"] = measured(name, "error", threads)
        line["largest_error_bfloat16"] = measured(name, "error bfloat16", threads)
    elif {key: line.get(key) for key in about} != about:
        raise SystemExit(f"{json_file} holds rounds of {name} with other settings; leave out --more")
    for _ in range(n_rounds):
        for so_far in add_round(line, name, sides, threads):
            if json_file:
                json_file.write_text(json.dumps(kept | {name: so_far}, indent=1) + "\n")
    shown = {key: line[key] for key in line if key.endswith(("ratios", "per_second")) or "error" in key}
    print(json.dumps({name: shown}, indent=1))


if __name__ == "__main__":
    main()
