"""A training step alone and beside a second program, by how the threads of OpenMP wait for each other.

    python benchmarks/shared_machine.py --json benchmarks/results/shared_machine.json

A step is EfficientNet-Lite0 on 25 images of 128 px, forward and backward in float32, with as many threads as torch
takes by itself. "side by side": steps of two networks at once, each on one thread, as fine-tuning does for small
episodes; a step counts half of the seconds of the pair. The second program does the same steps, with the environment of
a plain Python program. Every policy has a process of its own, because OpenMP reads its environment once. The processes
take turns, first alone, then beside the second program, which is stopped in between. A round takes about a minute on 2
cores. Each policy is compared with the default of OpenMP alone in the same round.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from fewshot.files.waiting import NAMES, POLICY

NETWORK, IMAGE_SIZE, BATCH = "tf_efficientnet_lite0", 128, 25
DEFAULT = "default of OpenMP"
SIDE_BY_SIDE = "FEWSHOT_STEPS_SIDE_BY_SIDE"  # in the environment of a trainer: steps of so many networks at once
POLICIES: dict[str, dict[str, str]] = {
    DEFAULT: {},
    "fewshot": dict(POLICY),
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "2 000 spins": {"GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "0"},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "side by side": {"OMP_NUM_THREADS": "1", SIDE_BY_SIDE: "2"},
}
STEPS_ALONE, STEPS_BESIDE = 8, 4


class Trainer:
    """A process that trains when it is asked to, with its own environment."""

    def __init__(self, policy: Mapping[str, str]) -> None:
        chosen = (*NAMES, "OMP_NUM_THREADS")
        environment = {name: value for name, value in os.environ.items() if name not in chosen} | dict(policy)
        command, pipe = [sys.executable, __file__, "--train"], subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe)

    def start(self, n_steps: int) -> None:
        """Asks for so many steps, and does not wait for them."""
        assert self.process.stdin is not None
        print(n_steps, file=self.process.stdin, flush=True)

    def seconds(self, n_steps: int) -> float:
        """The median seconds of so many steps, done now."""
        self.start(n_steps)
        assert self.process.stdout is not None
        taken: list[float] = json.loads(self.process.stdout.readline())
        return statistics.median(taken)


def train() -> None:
    """Answers every number on stdin with the seconds of so many steps. Networks side by side share the seconds."""
    import copy
    from concurrent.futures import ThreadPoolExecutor

    import torch
    from torch import nn

    from fewshot.backbones.packaged import Packaged

    torch.manual_seed(0)
    network = Packaged(NETWORK, image_size=IMAGE_SIZE).load().network.train().requires_grad_()
    networks = [copy.deepcopy(network) for _ in range(int(os.environ.get(SIDE_BY_SIDE, "1")))]
    images = torch.randn(BATCH, 3, IMAGE_SIZE, IMAGE_SIZE)

    def step(network: nn.Module) -> None:
        network(images).square().mean().backward()

    with ThreadPoolExecutor(len(networks)) as pool:
        for line in sys.stdin:
            taken = []
            for _ in range(int(line)):
                start = time.perf_counter()
                step(network) if len(networks) == 1 else list(pool.map(step, networks))
                taken.append((time.perf_counter() - start) / len(networks))
            print(json.dumps(taken), flush=True)


def measure(n_rounds: int, json_file: Path | None) -> None:
    """Prints the ratios after every round, and writes them."""
    alone: dict[str, list[float]] = {name: [] for name in POLICIES}
    beside: dict[str, list[float]] = {name: [] for name in POLICIES}
    with ExitStack() as stack:
        trainers = {name: Trainer(policy) for name, policy in POLICIES.items()}
        second = Trainer({})
        for trainer in (*trainers.values(), second):
            stack.callback(trainer.process.kill)
        for trainer in (*trainers.values(), second):
            trainer.seconds(2)  # the first steps take longer
        second.start(1_000_000)
        for number in range(n_rounds):
            second.process.send_signal(signal.SIGSTOP)
            for name, trainer in trainers.items():
                alone[name].append(trainer.seconds(STEPS_ALONE))
            second.process.send_signal(signal.SIGCONT)
            for name, trainer in trainers.items():
                beside[name].append(trainer.seconds(STEPS_BESIDE))
            print(f"round {number + 1}: alone {_last(alone)}; beside {_last(beside)}", flush=True)
            if json_file is not None:
                json_file.write_text(json.dumps(found(alone, beside), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found(alone, beside), indent=1))


def found(alone: Mapping[str, list[float]], beside: Mapping[str, list[float]]) -> dict[str, object]:
    """The seconds of a step by policy, and their ratios to the default of OpenMP alone in the same round."""
    from fewshot.benchmarks.rounds import machine

    return {
        "machine": machine(),
        "alone": {name: against(alone[DEFAULT], taken) for name, taken in alone.items()},
        "beside": {name: against(alone[DEFAULT], taken) for name, taken in beside.items()},
        "seconds_alone": alone,
        "seconds_beside": beside,
        "network": NETWORK,
        "image_size": IMAGE_SIZE,
        "batch": BATCH,
        "policies": POLICIES,
    }


def against(base: list[float], taken: list[float]) -> dict[str, float]:
    """The median seconds, and the median, least and largest ratio to the base of the same round."""
    ratios = sorted(own / other for own, other in zip(taken, base, strict=True))
    middle = {"seconds": statistics.median(taken), "ratio": statistics.median(ratios)}
    return middle | {"least": ratios[0], "largest": ratios[-1]}


def _last(taken: Mapping[str, list[float]]) -> str:
    return ", ".join(f"{name} {seconds[-1]:.3f} s" for name, seconds in taken.items())


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="run this many rounds (default: 7)")
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    train() if options.train else measure(options.rounds, options.json)


if __name__ == "__main__":
    main()
