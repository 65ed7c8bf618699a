"""What checksums cost. Run `python benchmarks/checksums.py` (two minutes); writes benchmarks/results/checksums.json.

A run of LinearProbe (5-way 5-shot 15-query, 2 000 episodes) on 70 000 features of 640 numbers, which are all in the
cache. Each round is a new process, because a process compares a feature once. The script times every check inside the
run, of feature rows and of predictions, and prints their share of the process and of the run alone.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS, N_IMAGES, DIM, N_EPISODES = 5, 70_000, 640, 2_000
OUT = Path(__file__).parent / "results" / "checksums.json"


def main() -> None:
    """Prints the seconds of every round, or times one round in this process."""
    if len(sys.argv) > 1:
        print(json.dumps(one_round(Path(sys.argv[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        rounds = [_in_new_process(Path(folder), number) for number in range(ROUNDS + 1)][
            1:
        ]  # the first fills the cache
    median = {name: round(statistics.median(one[name] for one in rounds), 4) for name in rounds[0]}
    shares = {of: round(median["checks"] / median[of], 4) for of in ("process", "run")}
    found = {"n_images": N_IMAGES, "dim": DIM, "n_episodes": N_EPISODES, "seconds": median, "share_of": shares}
    OUT.write_text(json.dumps(found | {"rounds": rounds}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def _in_new_process(folder: Path, number: int) -> dict[str, float]:
    environment = os.environ | {"FEWSHOT_HOME": str(folder / "home")}
    command = [sys.executable, __file__, str(folder / f"rows{number}.jsonl")]
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, capture_output=True, encoding="utf-8")
    took = time.perf_counter() - start
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"process {took:.2f} s, {measured}", flush=True)
    return {"process": took} | measured


def one_round(rows: Path) -> dict[str, float]:
    """Seconds of the run and of each kind of check in it."""
    from fewshot import EpisodeShape, Results, RunSpec, Sampled, Workbench, run

    seconds = _timed_checks()
    bench = Workbench(progress=False, images=functools.cache(lambda _: _images()), backbone=_backbone)
    spec = RunSpec(
        "Glyphs()",
        "RawPixels(8)",
        "LinearProbe()",
        Sampled(EpisodeShape(5, 5, 15)),
        "L2()",
        split="AllNovel()",
        n_episodes=N_EPISODES,
    )
    bench.images(spec.dataset)
    start = time.perf_counter()
    run(spec, Results(rows), bench)
    return {"run": time.perf_counter() - start, "checks": sum(seconds.values())} | seconds


def _images() -> Any:
    """70 000 pictures of one pixel, of 100 classes; their features do not depend on them."""
    import numpy as np

    from fewshot.datasets import ArrayImages, LabelledImages

    names = tuple(f"class {number}" for number in range(100))
    labels = np.arange(N_IMAGES) % len(names)
    return LabelledImages("invented", ArrayImages(np.zeros((N_IMAGES, 1, 1, 3), np.uint8)), labels, names, "cd" * 32)


def _backbone(_: Any) -> Any:
    """A network whose features are noise."""
    from dataclasses import replace

    import torch
    from torch import nn

    from fewshot.backbones.raw_pixels import RawPixels

    class Noise(nn.Module):
        generator = torch.Generator().manual_seed(0)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.randn(len(images), DIM, generator=self.generator)

    return replace(RawPixels(8).load(), network=Noise().eval(), dim=DIM, name="noise", weights_digest="noise")


def _timed_checks() -> dict[str, float]:
    """Seconds by kind of check, which grow while a run goes on."""
    from fewshot.features.files import FeatureFiles
    from fewshot.files import atomic
    from fewshot.results import predictions

    seconds: dict[str, float] = {}

    def watched(owner: Any, name: str, kind: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                seconds[kind] = seconds.get(kind, 0.0) + time.perf_counter() - start

        setattr(owner, name, timed)

    watched(FeatureFiles, "changed", "features")
    watched(atomic, "checksum", "predictions_sums")
    watched(predictions, "check_arrays", "predictions_ranges")
    return seconds


if __name__ == "__main__":
    main()
