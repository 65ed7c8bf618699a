"""Measurements for speed.py: runs from a feature table, sampling, and large problems."""

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
    from fewshot.runs.feature_learner import FeatureLearner


@functools.cache
def labelled() -> LabelledImages:
    """20 classes of 600 images without pixels."""
    from fewshot.datasets import ArrayImages, LabelledImages

    labels = np.repeat(np.arange(20), 600)
    names = tuple(f"class {c}" for c in range(20))
    return LabelledImages("labels", ArrayImages(np.zeros((len(labels), 1, 1), np.uint8)), labels, names, "none")


@functools.cache
def table_of_features() -> Floats:
    """[12000, 640] one row of features per image."""
    random = np.random.default_rng(0)
    rows = random.normal(scale=0.15, size=(20, 1, 640)) + random.normal(size=(20, 600, 640))
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows.reshape(-1, 640).astype(np.float32)


def sampled(start: int, count: int) -> Episodes:
    """5-way 5-shot episodes with 15 queries per class."""
    from fewshot.episodes.shape import EpisodeShape
    from fewshot.samplers.balanced import Balanced

    return Balanced().sample(labelled(), np.arange(20), EpisodeShape(5, 5, N_QUERY), 0, start, count)


def learner_of(evaluator: str) -> FeatureLearner:
    """The learner of an evaluator with the feature table."""
    import torch

    from fewshot.plugins.registry import EVALUATORS
    from fewshot.runs.feature_learner import FeatureLearner, Held

    return FeatureLearner(EVALUATORS.make(evaluator), Held(torch.from_numpy(table_of_features())), 640)


def ours_from_a_table(evaluator: str) -> Measured:
    """Our sampling, gathering, solving and summarising, as in a run."""
    from fewshot.results.predictions import episode_accuracy
    from fewshot.runs.solving import solve

    learner = learner_of(evaluator)
    per_second = rate(lambda index: len(solve(sampled(1000 * index, 1000), learner)), 2.0)
    return Measured(per_second, [float(episode_accuracy(solve(sampled(0, 1000), learner)).mean())])


def bytes_read() -> Measured:
    """Bytes per second of the rows that episodes need, each counted once, while Prototype samples, solves and
    summarises."""
    rows = 5 * (5 + N_QUERY)
    return Measured(ours_from_a_table("Prototype()").per_second * rows * table_of_features()[0].nbytes)


def bytes_copied() -> Measured:
    """Bytes per second that torch reads while it copies 256 MiB, with its default number of threads."""
    import torch

    source = torch.ones(1 << 26)
    target = torch.empty_like(source)

    def step(index: int) -> int:
        target.copy_(source)
        return source.nbytes

    return Measured(rate(step, 2.0))


def easyfsl_from_a_table() -> Measured:
    """easyfsl's evaluate loop over its FeaturesDataset. The constructor of its sampler fails with current torch, so
    this sets the fields of the sampler directly."""
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
    accuracies: list[float] = []

    def step(index: int) -> int:
        accuracies.append(evaluate(PrototypicalNetworks(), loader, device="cpu", use_tqdm=False))
        return n_tasks

    return Measured(rate(step, 2.0), [float(np.mean(accuracies))])


def same_accuracy(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The difference of the mean accuracies on different episodes; above a hundredth it raises a ValueError."""
    apart = abs(ours[0] - theirs[0])
    if apart > 0.01:
        raise ValueError(f"the mean accuracies differ by {apart:.3f}, more than 0.01")
    return f"accuracy {apart:.4f} apart"


def ours_sampling() -> Measured:
    """Our sampling of episodes, without features."""
    return Measured(rate(lambda index: len(sampled(1000 * index, 1000))))


def learn2learn_sampling() -> Measured:
    """learn2learn's sampling of tasks from a data set of integers, with its features, because it gives no rows."""
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
    """Every head for vectors, with its defaults, on 10 000 episodes from one table."""
    from fewshot.evaluators import FeatureEvaluator
    from fewshot.plugins.registry import EVALUATORS
    from fewshot.runs.solving import solve

    names = [n for n in EVALUATORS.names() if issubclass(EVALUATORS.get(n), FeatureEvaluator)]
    heads = [f"{n}()" for n in names if n not in NEED_MORE]
    for head in heads:
        solve(sampled(0, 50), learner_of(head))
    start = time.perf_counter()
    for head in heads:
        before = time.perf_counter()
        for first in range(0, 10_000, 2000):
            solve(sampled(first, 2000), learner_of(head))
        print(f"{head}: {time.perf_counter() - before:.1f} s", file=sys.stderr)
    return Measured(10_000 * len(heads) / (time.perf_counter() - start))


# These need another head, vectors of the class names, or views of the images.
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
    """Problems per second of LinearProbe on 1000 classes x 25 shots of 2048 features, if it converges."""
    from fewshot.evaluators.linear_probe import LinearProbe

    random = np.random.default_rng(0)
    rows = random.standard_normal((1000, 1, 2048), dtype=np.float32) / 2
    support = rows + random.standard_normal((1000, 25, 2048), dtype=np.float32)
    support /= np.linalg.norm(support, axis=-1, keepdims=True)
    batch = batch_of(support.reshape(1, 25_000, 2048), np.repeat(np.arange(1000), 25), 1000)
    start = time.perf_counter()
    head = LinearProbe(C=1.0).fit(batch)
    seconds = time.perf_counter() - start
    if head.converged is None or not head.converged.all():
        raise ValueError("LinearProbe did not converge on 1000 classes x 25 shots, so its time means nothing")
    return Measured(1 / seconds)


def embedding(what: str) -> Measured:
    """Images per second, from bundled images to features on disk, or through timm's network alone."""
    from fewshot.benchmarks.embedding import loop_rate, table_rate

    return Measured(table_rate(1024) if what == "table" else loop_rate(1024))


def fine_tuning(what: str, who: str) -> Measured:
    """Episodes per second of FineTune or of the plain loop; fine_tuning.py compares their logits."""
    from fewshot.benchmarks.fine_tuning import Work, rate

    return Measured(rate(Work(what), who))
