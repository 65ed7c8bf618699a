"""Speed of fine-tuning against plain training loops, in wall time and in processor time.

    python benchmarks/fine_tuning.py --json benchmarks/results/fine_tuning.json

Rounds alternate between three sides, each in its own process with one thread (--threads): "ours", from images to
logits; "loop", the loop of `plain_loops.py`; and "kept", the same loop in a process that keeps freed memory, as ours
does. Episodes are 5-way 5-shot with 15 queries per class, icons at 128 px, SGD. Starting and loading do not count.

- whole, last, norms: EfficientNet-Lite0; its parts by FineTune. The last block takes 50 steps, the others 10. The
  lines with channels_last use that layout, and the same loop as the others.
- lora: a ViT-S/16 with random weights; LoRA of rank 2 on queries, keys and values, 10 steps.
- head: 50 steps on ready features for 128 episodes.

Processor time (user and system) is the one to compare on a shared machine. The script first checks that the logits of
both agree: to a ten-thousandth of the largest, or, where the steps amplify rounding, to ten times as far as the loop
itself moves if its inputs change by one rounding.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.batch import EpisodeBatch
    from fewshot.episodes.episodes import Episodes
    from fewshot.evaluators import ImageEvaluator
    from fewshot.evaluators.tuning.image_rows import ImageRows

SIDES = ("ours", "loop", "kept")
LITE = "Packaged('tf_efficientnet_lite0', image_size=128)"
VIT = "RandomInit('vit_small_patch16_224', image_size=128)"
FARTHEST = 1e-4  # of the logits of ours and the loop, as a share of the largest logit
ROUNDINGS = 10  # as often as the loop moves by one rounding of its inputs
N_CLASSES = 10  # few, so that the heads need few embedded images


@dataclass(frozen=True)
class Task:
    """What is tuned: an evaluator on a backbone, and the number of episodes of a round."""

    evaluator: str
    backbone: str = LITE
    n_episodes: int = 1


TASKS = {
    "whole": Task("FineTune(tune='all', steps=10, lr=0.003)"),
    "whole_channels_last": Task("FineTune(tune='all', steps=10, lr=0.003, layout='channels_last')"),
    "last": Task("FineTune(tune='last 1', steps=50, lr=0.003)", n_episodes=2),
    "norms": Task("FineTune(tune='norm', steps=10, lr=0.003)"),
    "norms_channels_last": Task("FineTune(tune='norm', steps=10, lr=0.003, layout='channels_last')"),
    "lora": Task("LoRA(steps=10, lr=0.003, optimizer='sgd')", VIT),
    "head": Task("FineTune(tune='head', steps=50, lr=0.003)", n_episodes=128),
}


class Work:
    """Episodes and a network, ready to tune."""

    def __init__(self, what: str) -> None:
        import numpy as np

        from fewshot.datasets.icons import Icons
        from fewshot.episodes.shape import EpisodeShape
        from fewshot.plugins.registry import BACKBONES, EVALUATORS
        from fewshot.samplers.balanced import Balanced

        self.what, self.task = what, TASKS[what]
        self.images: LabelledImages = Icons("mono").load()
        self.backbone: Backbone = BACKBONES.make(self.task.backbone).load()
        self.evaluator: ImageEvaluator = EVALUATORS.make(self.task.evaluator)
        shape, classes = EpisodeShape(5, 5, 15), np.arange(N_CLASSES)
        self.episodes: Episodes = Balanced().sample(self.images, classes, shape, 0, 0, self.task.n_episodes)

    @cached_property
    def frozen(self) -> Any:
        """The outputs of the frozen part for all images, as a run computes them once; None if nothing is frozen."""
        import numpy as np

        rows = np.concatenate([self.episodes.support, self.episodes.query]).astype(np.int64)
        return self.evaluator.precompute(self.images, self.backbone, rows, False)

    def batch(self, start: int, stop: int, frozen: Any) -> tuple[EpisodeBatch[ImageRows], ImageRows]:
        """Some episodes and their queries."""
        import numpy as np
        import torch

        from fewshot.episodes.batch import EpisodeBatch
        from fewshot.runs.image_learner import ImageLearner
        from fewshot.runs.solving import episode_seeds

        learner = ImageLearner(self.evaluator, self.images, self.backbone, frozen)
        some = self.episodes[start:stop]
        rows, labels, mask = some.padded("support")
        support, query = learner.items(rows), learner.items(some.padded("query")[0])
        ways = torch.from_numpy(labels.astype(np.int64))
        return EpisodeBatch(support, ways, torch.from_numpy(mask), 5, episode_seeds(some)), query

    def ours(self) -> list[Tensor]:
        """Logits [75, 5] of each episode; except for heads, the part that a run computes once counts too."""
        size, logits = len(self.episodes) if self.what == "head" else 1, []
        for start in range(0, len(self.episodes), size):
            batch, query = self.batch(start, start + size, self.frozen)
            logits += list(self.evaluator.fit(batch, self.backbone)(query))
        return logits

    def loop(self, backbone: Backbone | None = None) -> list[Tensor]:
        """The same logits, from the usual loop; `backbone`: None is the one of the work."""
        from fewshot.benchmarks.plain_loops import LOOPS

        frozen = self.frozen if self.what == "head" else None
        return [
            LOOPS[self.what.partition("_")[0]](self.evaluator, backbone or self.backbone, *self.batch(e, e + 1, frozen))
            for e in range(len(self.episodes))
        ]


def seconds(work: Work, side: str) -> tuple[float, float]:
    """Wall and processor seconds per episode."""
    from fewshot.features.embedding import keep_freed_memory

    if side == "kept":
        keep_freed_memory()
    run: Callable[[], list[Tensor]] = work.ours if side == "ours" else work.loop
    if work.what == "head":
        run()  # embeds; does not count
    start = time.perf_counter(), time.process_time()
    run()
    wall, processor = time.perf_counter() - start[0], time.process_time() - start[1]
    return wall / len(work.episodes), processor / len(work.episodes)


def rate(work: Work, side: str) -> float:
    """Episodes per second of wall time."""
    return 1 / seconds(work, side)[0]


def differences(work: Work) -> tuple[float, float]:
    """How far the logits of the loop are from ours, and from its own if its inputs change by one rounding: the largest
    difference as a share of the largest logit."""
    loop = work.loop()
    changed = replace(work.backbone, preprocess=_Rounded(work.backbone.preprocess))
    return _apart(work.ours(), loop), _apart(work.loop(changed), loop)


class _Rounded:
    """A preprocessing whose inputs are one float32 rounding larger."""

    def __init__(self, preprocess: Callable[[Any], Tensor]) -> None:
        self.preprocess = preprocess

    def __call__(self, image: Any) -> Tensor:
        return self.preprocess(image) * (1 + 2**-23)


def _apart(ours: list[Tensor], theirs: list[Tensor]) -> float:
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True))


def measured(what: str, side: str, threads: int) -> Any:
    """The numbers that a new process measures."""
    command = [sys.executable, __file__, "--what", what, "--round", side]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def compare(what: str, n_rounds: int, threads: int) -> dict[str, Any]:
    """The seconds of all sides in alternating rounds, and the ratios of their neighbouring rounds."""
    from fewshot.benchmarks.rounds import machine

    apart, rounding = measured(what, "check", threads)
    if apart > max(FARTHEST, ROUNDINGS * rounding):
        raise SystemExit(f"{what}: the logits differ by {apart:.1e} of the largest, so the rates cannot be compared")
    taken: dict[str, list[Sequence[float]]] = {side: [] for side in SIDES}
    for number in range(n_rounds):
        for side in SIDES:
            taken[side].append(measured(what, side, threads))
        shown = ", ".join(f"{side} {taken[side][-1][0]:.3g} s ({taken[side][-1][1]:.3g} s)" for side in SIDES)
        print(f"{what}, round {number + 1}, wall (processor) per episode: {shown}", flush=True)
    line: dict[str, Any] = {"evaluator": TASKS[what].evaluator, "backbone": TASKS[what].backbone}
    for place, clock in enumerate(("wall", "processor")):
        ours = [pair[place] for pair in taken["ours"]]
        line[f"{clock}_seconds"] = statistics.median(ours)
        for side in SIDES[1:]:
            ratios = sorted(their[place] / mine for their, mine in zip(taken[side], ours, strict=True))
            line[f"{clock}_ratio_{side}"] = [statistics.median(ratios), ratios[0], ratios[-1]]
    return line | {
        "difference": apart,
        "difference_of_a_rounding": rounding,
        "rounds": n_rounds,
        "threads": threads,
        "machine": machine(),
    }


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="run this many rounds (default: 5)")
    parser.add_argument("--threads", type=int, default=1, help="threads of both sides (default: 1)")
    parser.add_argument("--json", type=Path, help="write all numbers to this file; other comparisons in it stay")
    parser.add_argument("--what", choices=list(TASKS), action="append", help="run only this comparison; repeatable")
    parser.add_argument("--round", choices=[*SIDES, "check"], help="measure one round in this process")
    arguments = parser.parse_args()
    if arguments.round:
        work = Work(arguments.what[0])
        print(json.dumps(differences(work) if arguments.round == "check" else seconds(work, arguments.round)))
        return
    for what in arguments.what or TASKS:
        line = compare(what, arguments.rounds, arguments.threads)
        print(what, *(f"{name} {line[name][0]:.2f}" for name in line if "ratio" in name))
        if arguments.json:
            kept = json.loads(arguments.json.read_text()) if arguments.json.is_file() else {}
            arguments.json.write_text(json.dumps(kept | {what: line}, indent=1) + "\n")


if __name__ == "__main__":
    main()
