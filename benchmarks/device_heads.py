"""The parts of benchmarks/on_device.py that learn: heads on features, and fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

from fewshot.backbones.random_init import RandomInit
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.datasets.icons import Icons
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import FeatureEvaluator, ImageEvaluator
from fewshot.plugins.registry import EVALUATORS
from fewshot.results.predictions import Predictions
from fewshot.runs.feature_learner import FeatureLearner, Held
from fewshot.runs.heads_device import ON_CPU, HeadsDevice
from fewshot.runs.image_learner import ImageLearner
from fewshot.runs.solving import solve
from fewshot.samplers.balanced import Balanced

Result = TypeVar("Result")


def heads(device: torch.device, n_ways: int, n_episodes: int) -> list[dict[str, Any]]:
    """One large episode (10 shots, 1024 features) and many small ones, on the CPU and on the device."""
    large, small = EpisodeShape(n_ways, 10, 5), EpisodeShape(5, 5, 15)
    return [
        _head(device, "LinearProbe()", large, 1, 1024),
        _head(device, "RidgeProbe()", large, 1, 1024),
        _head(device, "Prototype()", small, n_episodes, 640),
        _head(device, "LinearProbe()", small, n_episodes, 640),
    ]


def _head(device: torch.device, text: str, shape: EpisodeShape, count: int, dim: int) -> dict[str, Any]:
    """The seconds on both, the share of equal predictions, and the largest difference of a log probability."""
    evaluator = EVALUATORS.make(text)
    assert isinstance(evaluator, FeatureEvaluator)
    assert shape.n_way is not None
    images, vectors = _classes(shape.n_way, 40, dim)
    episodes = Balanced().sample(images, np.arange(shape.n_way), shape, seed=0, start=0, count=count)

    def solved(where: HeadsDevice) -> tuple[Predictions, float]:
        learner = FeatureLearner(evaluator, Held(vectors), dim, heads=where)
        solve(episodes.take(np.arange(min(count, 2))), learner)  # compiles, and warms the device
        return timed(lambda: solve(episodes, learner, keep_logits=False))

    (cpu, of_cpu), (there, of_device) = solved(ON_CPU), solved(HeadsDevice(device, always=True))
    return {
        "head": f"{text}, {shape.n_way}-way {shape.k_shot}-shot, D = {dim}, {count} episodes",
        "cpu_seconds": of_cpu,
        "device_seconds": of_device,
        **_differences(there, cpu),
    }


def _classes(n_classes: int, per_class: int, dim: int) -> tuple[LabelledImages, torch.Tensor]:
    """Gaussian classes: unit vectors around a centre each."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(n_classes), per_class)
    centres = 0.2 * random.normal(size=(n_classes, dim))
    vectors = centres[labels] + random.normal(size=(len(labels), dim))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    names = tuple(f"class {number}" for number in range(n_classes))
    pixels = np.zeros((len(labels), 1, 1), np.uint8)
    return LabelledImages("classes", ArrayImages(pixels), labels, names, "classes"), torch.from_numpy(unit)


def fine_tuning(device: torch.device, n_episodes: int) -> list[dict[str, Any]]:
    """A ResNet-18 with random weights at 64 px, tuned on 5-way 5-shot episodes of icons, on CPU and device."""
    images = Icons("colour").load()
    classes = np.arange(20)
    episodes = Balanced().sample(images, classes, EpisodeShape(5, 5, 5), seed=0, start=0, count=n_episodes)
    texts = ("FineTune('all', steps=10)", "FineTune('last 1', steps=20)", "FineTune('head', steps=50)")
    return [_tuned(device, text, images, episodes) for text in texts]


def _tuned(device: torch.device, text: str, images: LabelledImages, episodes: Episodes) -> dict[str, Any]:
    evaluator = EVALUATORS.make(text)
    assert isinstance(evaluator, ImageEvaluator)

    def solved(where: torch.device) -> tuple[Predictions, float]:
        backbone = RandomInit("resnet18", image_size=64).load().to(str(where))
        learner = ImageLearner(evaluator, images, backbone)
        return timed(lambda: solve(episodes, learner, keep_logits=False))

    (cpu, of_cpu), (there, of_device) = solved(torch.device("cpu")), solved(device)
    return {"evaluator": text, "cpu_seconds": of_cpu, "device_seconds": of_device, **_differences(there, cpu)}


def _differences(found: Predictions, wanted: Predictions) -> dict[str, float]:
    off = np.abs(found.log_probability.astype(np.float64) - wanted.log_probability).max()
    same = float((found.predicted == wanted.predicted).mean())
    return {"same_predictions": round(same, 6), "largest_log_probability_difference": float(f"{off:.2g}")}


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """The result of some work, and its seconds."""
    start = time.perf_counter()
    result = work()
    return result, round(time.perf_counter() - start, 3)
