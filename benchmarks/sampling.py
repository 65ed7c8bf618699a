"""Speed of sampling episodes: `python benchmarks/sampling.py` takes ten seconds and needs no data.

It samples episodes of several shapes from 20 classes of 600 images, in blocks, on one core, and prints the best of five
rounds. Expected on an idle core of a virtual machine: 360 000 episodes/s (5-way 1-shot), 300 000 (5-way 5-shot), 10 000
(20-way 50-shot 50-query) and 3 500 (all classes, all remaining queries: 11 900 images per episode); half of that on a
busy core.
"""

from __future__ import annotations

import time

import numpy as np

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.balanced import Balanced

N_CLASSES, IMAGES_A_CLASS = 20, 600
SHAPES = (EpisodeShape(5, 1, 15), EpisodeShape(5, 5, 15), EpisodeShape(20, 50, 50), EpisodeShape(None, 5, None))


def images() -> LabelledImages:
    """Labels without pixels, because sampling reads only labels."""
    labels = np.repeat(np.arange(N_CLASSES), IMAGES_A_CLASS)
    names = tuple(f"class {c}" for c in range(N_CLASSES))
    return LabelledImages("labels", ArrayImages(np.zeros((len(labels), 1, 1), np.uint8)), labels, names, "none")


def episodes_per_second(shape: EpisodeShape, count: int, block: int = 1000) -> float:
    """Episodes per second: the best of five rounds of `count` episodes in blocks."""
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
