"""Invented rows, images and predictions for the tests of the report."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
BACKBONES = {
    "Packaged(name='tf_efficientnet_lite0', image_size=128)": 0.62,
    "Packaged(name='mobilenetv2_100', image_size=128)": 0.60,
    "RawPixels(image_size=32)": 0.52,
    "RandomInit(name='tf_efficientnet_lite0', seed=0, image_size=128, pool=None)": 0.46,
}
EVALUATORS = {"Prototype(metric='euclidean')": 0.0, "LinearProbe(C=1.0, max_iter=100)": 0.004}
TASKS = {
    ("Icons(domain='mono')", "Balanced(support_from=None, query_from=None)", 15): 0.03,
    ("Icons(domain='colour')", "Balanced(support_from=None, query_from=None)", 5): 0.0,
    ("Icons(domain='both')", "Balanced(support_from='domain=mono', query_from='domain=colour')", 5): -0.06,
}


def row(accuracy: float | None = 0.8, half: float | None = 0.006, **columns: Any) -> Row:
    """A finished row; its run id follows from what is given."""
    known = half is not None and accuracy is not None
    bounds = {"accuracy_low": accuracy - half, "accuracy_high": accuracy + half} if known else {}
    usual = {
        "dataset": "Icons(domain='mono')",
        "backbone": "RawPixels(image_size=32)",
        "transform": "L2()",
        "evaluator": "Prototype(metric='euclidean')",
        "sampler": "Balanced(support_from=None, query_from=None)",
        "classes": "novel",
        "n_way": 5,
        "k_shot": 1,
        "n_query": 15,
        "dtype": "float32",
        "n_episodes": 600,
        "n_classes": 88,
        "population": "these images",
        "protocol": "quick@1",
        "device": "cpu",
        "images_digest": "cd" * 32,
        "versions": "fewshot 0.1.0, torch 2.8.0",
    }
    merged = usual | {"accuracy": accuracy} | bounds | columns
    run_id = hashlib.sha256(repr(sorted(merged.items())).encode()).hexdigest()[:16]
    return Row(**{"run_id": run_id} | merged)


def quick_rows() -> Iterator[Row]:
    """Rows such as the quick suite makes, one failure among them."""
    for (task, gain), (backbone, base), k_shot, (evaluator, more) in product(
        TASKS.items(), BACKBONES.items(), (1, 5), EVALUATORS.items()
    ):
        random = backbone.startswith("RandomInit")
        yield row(
            min(base + gain + more + (0.19 if k_shot == 5 else 0), 1),
            dataset=task[0],
            sampler=task[1],
            n_query=task[2],
            backbone=backbone,
            evaluator=evaluator,
            k_shot=k_shot,
            seconds_embedding=12.5,
            n_not_converged=2 if more and random else 0,
            seen_classes="not seen" if random else "unknown",
            images_digest=hashlib.sha256(task[0].encode()).hexdigest(),
        )
    tuned = (
        "FineTune(tune='{}', steps=10, lr=0.003, optimizer='sgd', weight_decay=0.0, batch_size=None, "
        "batchnorm='frozen')"
    )
    small = "Packaged(name='tf_efficientnet_lite0', image_size=64)"
    mono = hashlib.sha256(b"Icons(domain='mono')").hexdigest()
    few = {"backbone": small, "transform": "Identity()", "k_shot": 5, "images_digest": mono}
    yield row(0.79, 0.04, evaluator=tuned.format("all"), n_episodes=20, **few)
    yield row(None, None, evaluator=tuned.format("head"), status="failed", error="out of memory: 3.2 GB", **few)


def invented_images(names: tuple[str, ...], each: int = 24, size: int = 40) -> LabelledImages:
    """Squares on noise: one colour a class."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(names)), each)
    pixels = rng.integers(0, 90, (len(labels), size, size, 3), dtype=np.uint8)
    colours = (np.stack([labels * 37, labels * 91, 255 - labels * 53], 1) % 256).astype(np.uint8)
    pixels[:, 8:30, 8:30] = colours[:, None, None]
    return LabelledImages("invented", ArrayImages(pixels), labels, names, "cd" * 32)


def invented_predictions(
    images: LabelledImages, n_way: int = 5, k_shot: int = 5, n_query: int = 15, n: int = 2, wrong: float = 0.25
) -> Predictions:
    """Answers to n episodes, about so many of them wrong."""
    rng = np.random.default_rng(1)
    support: list[list[int]] = []
    query: list[list[int]] = []
    for _ in range(n):
        drawn = [
            rng.choice(np.flatnonzero(images.labels == c), k_shot + n_query, replace=False)
            for c in rng.permutation(len(images.class_names))[:n_way]
        ]
        support.append(np.concatenate([d[:k_shot] for d in drawn]).tolist())
        query.append(np.concatenate([d[k_shot:] for d in drawn]).tolist())
    episodes = Episodes.from_rows(images, support, query)
    truth = episodes.query_labels
    missed = rng.random(len(truth)) < wrong
    predicted = np.where(missed, (truth + rng.integers(1, n_way, len(truth))) % n_way, truth).astype(np.uint16)
    some = np.full(len(truth), 0.5, np.float16)
    return Predictions(episodes, predicted, some, -some, np.ones(n, np.bool_))


def stored(folder: Path, rows: list[Row], predictions: Predictions, run_id: str) -> Results:
    """A results file with these rows, and the predictions of one of them."""
    results = Results(folder / "rows.jsonl")
    results.parts(run_id).write(predictions, {})
    for one in rows:
        results.append(one)
    return results
