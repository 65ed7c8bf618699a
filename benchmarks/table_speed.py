"""Whole ways from a feature table, drawing, and large problems: measurements for speed.py."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from fewshot.benchmarks.head_speed import N_QUERY, Floats, batch_of
from fewshot.benchmarks.rounds import Measured, rate

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.episodes.episodes import Episodes
    from fewshot.runs.learners import FeatureLearner


@functools.cache
def labelled() -> LabelledImages:
    """20 classes of 600 images without pixels."""
    from fewshot.datasets import ArrayImages, LabelledImages

    labels = np.repeat(np.arange(20), 600)
    names = tuple(f"class {c}" for c in range(20))
    return LabelledImages("labels", ArrayImages(np.zeros((len(labels), 1, 1), np.uint8)), labels, names, "none")


@functools.cache
def table_of_features() -> Floats:
    """[12000, 640] a row an image."""
    random = np.random.default_rng(0)
    rows = random.normal(scale=0.15, size=(20, 1, 640)) + random.normal(size=(20, 600, 640))
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows.reshape(-1, 640).astype(np.float32)


def drawn(start: int, count: int) -> Episodes:
    """Episodes of 5 ways, 5 shots and 15 queries a class."""
    from fewshot.episodes.episodes import EpisodeShape
    from fewshot.samplers.balanced import Balanced

    return Balanced().sample(labelled(), np.arange(20), EpisodeShape(5, 5, N_QUERY), 0, start, count)


def learner_of(evaluator: str) -> FeatureLearner:
    """The evaluator over the table."""
    import torch

    from fewshot.plugins.registry import EVALUATORS
    from fewshot.runs.learners import FeatureLearner, Held

    return FeatureLearner(EVALUATORS.make(evaluator), Held(torch.from_numpy(table_of_features())), 640)


def ours_from_a_table(evaluator: str) -> Measured:
    """Drawing, gathering, solving and summarising, as a run does it."""
    from fewshot.results.predictions import episode_accuracy
    from fewshot.runs.solving import solve

    learner = learner_of(evaluator)
    per_second = rate(lambda index: len(solve(drawn(1000 * index, 1000), learner)), 2.0)
    return Measured(per_second, [float(episode_accuracy(solve(drawn(0, 1000), learner)).mean())])


def bytes_read() -> Measured:
    """Bytes a second of the rows that episodes need, each read once, while prototypes are drawn, solved and
    summarised."""
    rows = 5 * (5 + N_QUERY)
    return Measured(ours_from_a_table("Prototype()").per_second * rows * table_of_features()[0].nbytes)


def bytes_copied() -> Measured:
    """Bytes a second that are read while 256 MiB are copied, with as many threads as torch takes."""
    import torch

    source = torch.ones(1 << 26)
    target = torch.empty_like(source)

    def step(index: int) -> int:
        target.copy_(source)
        return source.nbytes

    return Measured(rate(step, 2.0))


def easyfsl_from_a_table() -> Measured:
    """easyfsl's evaluate loop over its FeaturesDataset; its sampler fails on current torch, so the tasks are drawn by
    the same calls in a plain iterable."""
    import random

    import torch
    from easyfsl.datasets import FeaturesDataset
    from easyfsl.methods import PrototypicalNetworks
    from easyfsl.samplers import TaskSampler
    from easyfsl.utils import evaluate
    from torch.utils.data import DataLoader

    labels = labelled().labels.tolist()
    dataset = FeaturesDataset(labels, torch.from_numpy(table_of_features()), list(labelled().class_names))
    sampler = TaskSampler.__new__(TaskSampler)
    n_tasks = 200
    sampler.n_way, sampler.n_shot, sampler.n_query, sampler.n_tasks = 5, 5, N_QUERY, n_tasks
    sampler.items_per_label = {c: [i for i, label in enumerate(labels) if label == c] for c in range(20)}
    random.seed(0)
    loader = DataLoader(dataset, batch_sampler=sampler, collate_fn=sampler.episodic_collate_fn)
    found: list[float] = []

    def step(index: int) -> int:
        found.append(evaluate(PrototypicalNetworks(), loader, device="cpu", use_tqdm=False))
        return n_tasks

    return Measured(rate(step, 2.0), [float(np.mean(found))])


def same_accuracy(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """How far the mean accuracies of other draws lie apart; a ValueError beyond a hundredth."""
    apart = abs(ours[0] - theirs[0])
    if apart > 0.01:
        raise ValueError(f"the mean accuracies are {apart:.3f} apart")
    return f"accuracy {apart:.4f} apart"


def ours_drawing() -> Measured:
    """Episodes drawn, without looking at features."""
    return Measured(rate(lambda index: len(drawn(1000 * index, 1000))))


def learn2learn_drawing() -> Measured:
    """Tasks drawn by learn2learn from a data set of integers, features included: it gives no rows."""
    import learn2learn
    import torch
    from learn2learn.data.transforms import KShots, LoadData, NWays

    rows, labels = torch.arange(12_000), torch.from_numpy(labelled().labels)
    dataset = learn2learn.data.MetaDataset(torch.utils.data.TensorDataset(rows, labels))
    transforms = [NWays(dataset, 5), KShots(dataset, 5 + N_QUERY), LoadData(dataset)]
    tasks = learn2learn.data.Taskset(dataset, transforms, num_tasks=-1)

    def step(index: int) -> int:
        tasks.sample()
        return 1

    return Measured(rate(step))


def everything() -> Measured:
    """10 000 episodes x every head for vectors, with its defaults, from one table: seconds for all as answers."""
    from fewshot.evaluators import FeatureEvaluator
    from fewshot.plugins.registry import EVALUATORS
    from fewshot.runs.solving import solve

    names = [n for n in EVALUATORS.names() if issubclass(EVALUATORS.get(n), FeatureEvaluator)]
    heads = [f"{n}()" for n in names if n not in NEED_MORE]
    for head in heads:
        solve(drawn(0, 50), learner_of(head))
    start = time.perf_counter()
    for head in heads:
        before = time.perf_counter()
        for first in range(0, 10_000, 2000):
            solve(drawn(first, 2000), learner_of(head))
        print(f"{head}: {time.perf_counter() - before:.1f} s", file=sys.stderr)
    return Measured(10_000 * len(heads) / (time.perf_counter() - start))


# Another head, vectors of the class names, or views of the images.
NEED_MORE = {
    "AugmentedSupport",
    "CrossValidated",
    "LinearProbePlusPlus",
    "Standardised",
    "TipAdapter",
    "ZeroShot",
    "ZeroShotGaussian",
    "ZeroShotProbe",
}


def all_ways() -> Measured:
    """1000 classes x 25 shots of 2048 features: problems a second, of one that says that it converged."""
    from fewshot.evaluators.linear_probe import LinearProbe

    random = np.random.default_rng(0)
    rows = random.standard_normal((1000, 1, 2048), dtype=np.float32) / 2
    support = rows + random.standard_normal((1000, 25, 2048), dtype=np.float32)
    support /= np.linalg.norm(support, axis=-1, keepdims=True)
    batch = batch_of(support.reshape(1, 25_000, 2048), np.repeat(np.arange(1000), 25), 1000)
    start = time.perf_counter()
    head = LinearProbe().fit(batch)
    seconds = time.perf_counter() - start
    if head.converged is None or not head.converged.all():
        raise ValueError("LinearProbe did not converge on 1000 classes x 25 shots, so its time says nothing")
    return Measured(1 / seconds)


def embedding(what: str) -> Measured:
    """Images a second, from embedded images to features on disk or through timm's network alone."""
    from fewshot.benchmarks.embedding import loop_rate, table_rate

    return Measured(table_rate(1024) if what == "table" else loop_rate(1024))


def fine_tuning(what: str, who: str) -> Measured:
    """Episodes a second of FineTune or of the plain loop; their logits are compared by fine_tuning.py itself."""
    from fewshot.benchmarks.fine_tuning import Work, rate

    return Measured(rate(Work(what), who))
