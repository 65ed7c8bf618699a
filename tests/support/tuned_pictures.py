"""Episodes of noisy pictures, and what the learner of a tuned network answers to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fewshot.conformance import PictureWorld
from fewshot.datasets import ArrayImages
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.runs.learner_setup import learner
from fewshot.runs.needs import needs
from fewshot.runs.solving import solve
from fewshot.samplers.balanced import Balanced
from tests.support.worlds import labelled

IMAGES = replace(
    labelled(6, 20), images=ArrayImages(np.random.default_rng(0).integers(0, 256, (120, 8, 8, 3), dtype=np.uint8))
)
EPISODES = Balanced().sample(IMAGES, np.arange(6), EpisodeShape(3, 2, 5), seed=0, start=0, count=7)


def by_learner(evaluator, budget_bytes=1 << 20):
    """The learner of a run of this evaluator, and its predictions."""
    rows = np.arange(120)
    needed = needs(EVALUATORS.spec(evaluator), TRANSFORMS.spec("Identity"), IMAGES, rows, rows, rows[:0])
    made = learner(needed, PictureWorld().backbone, None)
    return made, solve(EPISODES, made, budget_bytes)
