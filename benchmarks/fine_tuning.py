"""Speed of FineTune in episodes per second, against a plain training loop.

    python benchmarks/fine_tuning.py --json fine_tuning.json

Rounds alternate between ours and a plain loop, each in its own process, on icons with EfficientNet-Lite0 at 128 px,
5-way 5-shot, 15 queries, 50 steps of SGD. Starting and loading do not count.

- head: FineTune(tune='head') on 32 episodes together, against one nn.Linear after the other, both on ready features.
- last: FineTune(tune='last 1') on 2 episodes, from images to logits, against a loop that keeps its preprocessed inputs
  but runs the frozen part in every step.

The script first checks that the logits of both agree to a thousandth of the largest.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.episodes import EpisodeBatch, Episodes
    from fewshot.evaluators.tuning.image_rows import ImageRows

NETWORK = "tf_efficientnet_lite0"
IMAGE_SIZE = 128
EPISODES = {"head": 32, "last": 2}
TUNE = {"head": "head", "last": "last 1"}
N_CLASSES = 10  # few, so that the heads need few embedded images
STEPS = 50
RATE = 0.003


class Work:
    """Episodes and a network, ready to tune."""

    def __init__(self, what: str) -> None:
        import numpy as np

        from fewshot.backbones.packaged import Packaged
        from fewshot.datasets.icons import Icons
        from fewshot.episodes.episodes import EpisodeShape
        from fewshot.evaluators.fine_tune import FineTune
        from fewshot.runs.learners import ImageLearner
        from fewshot.samplers.balanced import Balanced

        self.images: LabelledImages = Icons("mono").load()
        self.backbone: Backbone = Packaged(NETWORK, image_size=IMAGE_SIZE).load()
        self.evaluator = FineTune(TUNE[what], STEPS, RATE)
        shape, classes = EpisodeShape(5, 5, 15), np.arange(N_CLASSES)
        self.episodes: Episodes = Balanced().sample(self.images, classes, shape, 0, 0, EPISODES[what])
        rows = np.concatenate([self.episodes.support, self.episodes.query]).astype(np.int64)
        ready = self.evaluator.precompute(self.images, self.backbone, rows, False) if what == "head" else None
        self.learner = ImageLearner(self.evaluator, self.images, self.backbone, ready)
        self.what = what

    def batch(self, start: int, stop: int) -> tuple[EpisodeBatch[ImageRows], ImageRows]:
        """Some episodes and their queries."""
        import numpy as np
        import torch

        from fewshot.episodes.episodes import EpisodeBatch
        from fewshot.runs.solving import episode_seeds

        some = self.episodes[start:stop]
        rows, labels, mask = some.padded("support")
        support, query = self.learner.items(rows), self.learner.items(some.padded("query")[0])
        ways = torch.from_numpy(labels.astype(np.int64))
        return EpisodeBatch(support, ways, torch.from_numpy(mask), 5, episode_seeds(some)), query

    def ours(self) -> list[Tensor]:
        """Logits [75, 5] of each episode."""
        size = EPISODES["head"] if self.what == "head" else 1
        logits = []
        for start in range(0, len(self.episodes), size):
            batch, query = self.batch(start, start + size)
            logits += list(self.evaluator.fit(batch, self.backbone)(query))
        return logits

    def loop(self) -> list[Tensor]:
        """The same logits, from the usual loop."""
        return [self._one(*self.batch(e, e + 1)) for e in range(len(self.episodes))]

    def _one(self, batch: EpisodeBatch[ImageRows], query: ImageRows) -> Tensor:
        import torch

        if self.what == "head":
            assert batch.support.frozen is not None
            support, queries = (batch.support.frozen.gather(rows.rows[0]) for rows in (batch.support, query))
            network: nn.Module = torch.nn.Identity()
        else:
            from fewshot.evaluators.tuning.network import last_blocks

            support, queries = (
                torch.stack([self.backbone.preprocess(i) for i in rows.decode(0, list(range(rows.rows.shape[1])))])
                for rows in (batch.support, query)
            )
            network = copy.deepcopy(self.backbone.network)
            trained = set(last_blocks(network, 1))
            for name, parameter in network.named_parameters():
                parameter.requires_grad_(name in trained)
        return _plain_loop(network, support, batch.support_labels[0], queries, self.backbone.dim)


def _plain_loop(network: nn.Module, support: Tensor, labels: Tensor, queries: Tensor, dim: int) -> Tensor:
    import torch

    head = torch.nn.Linear(dim, 5)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    trained = [p for p in network.parameters() if p.requires_grad] + list(head.parameters())
    optimizer = torch.optim.SGD(trained, lr=RATE, momentum=0.9)
    for _ in range(STEPS):
        loss = torch.nn.functional.cross_entropy(head(network(support)), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.inference_mode():
        logits: Tensor = head(network(queries))
    return logits


def rate(work: Work, who: str) -> float:
    """Episodes per second; a short first call does not count."""
    run: Callable[[], list[Tensor]] = work.ours if who == "ours" else work.loop
    if work.what == "head":
        run()
    start = time.perf_counter()
    run()
    return EPISODES[work.what] / (time.perf_counter() - start)


def difference(work: Work) -> float:
    """The largest difference of the logits of both, as a share of the largest logit."""
    pairs = list(zip(work.ours(), work.loop(), strict=True))
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def measured(what: str, who: str) -> float:
    """The number that a new process measures."""
    command = [sys.executable, __file__, "--what", what, "--round", who]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def compare(what: str, n_rounds: int) -> dict[str, object]:
    """The rates of both sides in alternating rounds, and the median ratio of neighbouring rounds with its range."""
    apart = measured(what, "check")
    if apart > 1e-3:
        raise SystemExit(f"{what}: the logits differ by {apart:.1e} of the largest, so the rates cannot be compared")
    ours, loop = [], []
    for number in range(n_rounds):
        ours.append(measured(what, "ours"))
        loop.append(measured(what, "loop"))
        print(f"{what}, round {number + 1}: ours {ours[-1]:.2f}, loop {loop[-1]:.2f} episodes/s", flush=True)
    ratios = sorted(a / b for a, b in zip(ours, loop, strict=True))
    return {
        "ratio_median": statistics.median(ratios),
        "ratio_min": ratios[0],
        "ratio_max": ratios[-1],
        "ours": ours,
        "loop": loop,
        "difference": apart,
        "n_episodes": EPISODES[what],
        "steps": STEPS,
        "network": NETWORK,
        "image_size": IMAGE_SIZE,
    }


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="run this many rounds (default: 7)")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--what", choices=list(EPISODES), help="run only this comparison")
    parser.add_argument("--round", choices=["ours", "loop", "check"], help="measure one round in this process")
    arguments = parser.parse_args()
    if arguments.round:
        work = Work(arguments.what)
        print(difference(work) if arguments.round == "check" else rate(work, arguments.round))
        return
    chosen = [arguments.what] if arguments.what else list(EPISODES)
    results = {what: compare(what, arguments.rounds) for what in chosen}
    for what, result in results.items():
        print(what, "ratio {ratio_median:.2f} ({ratio_min:.2f} to {ratio_max:.2f})".format_map(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
