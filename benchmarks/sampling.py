"""How fast episodes are drawn: `python benchmarks/sampling.py`, ten seconds, needs no data.

5-way 5-shot 15-query episodes from 20 classes of 600 images, in blocks, on one core; the best of five rounds.
Expected on an idle core of a virtual machine: 360 000 episodes/s (1 shot), 300 000 (5 shot), 10 000 (20-way 50-shot
50-query) and 3 500 (all classes, all remaining queries: 11 900 images an episode); half of that on a busy one.
"""

from __future__ import annotations

import time

import numpy as np

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.episodes import EpisodeShape
from fewshot.samplers.balanced import Balanced

N_CLASSES, IMAGES_A_CLASS = 20, 600
SHAPES = (EpisodeShape(5, 1, 15), EpisodeShape(5, 5, 15), EpisodeShape(20, 50, 50), EpisodeShape(None, 5, None))


def images() -> LabelledImages:
    """Labels without pixels: sampling looks at nothing else."""
    labels = np.repeat(np.arange(N_CLASSES), IMAGES_A_CLASS)
    names = tuple(f"class {c}" for c in range(N_CLASSES))
    return LabelledImages("labels", ArrayImages(np.zeros((len(labels), 1, 1), np.uint8)), labels, names, "none")


def episodes_per_second(shape: EpisodeShape, count: int, block: int = 1000) -> float:
    """Episodes a second, the best of five rounds of `count` episodes in blocks."""
    labelled, sampler = images(), Balanced()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        for first in range(0, count, block):
            sampler.sample(labelled, np.arange(N_CLASSES), shape, 0, first, min(block, count - first))
        seconds.append(time.perf_counter() - start)
    return count / min(seconds)


def main() -> None:
    """Prints the rates."""
    for shape in SHAPES:
        count = 10_000 if shape.n_query is not None and shape.n_query < 50 else 500
        print(f"{episodes_per_second(shape, count):10,.0f} episodes/s  {shape}")


if __name__ == "__main__":
    main()
