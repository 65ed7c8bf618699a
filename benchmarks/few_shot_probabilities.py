"""How good the probabilities of the Gaussian heads are with few shots, with the published covariance and scaled ones.

    python -m fewshot.benchmarks.few_shot_probabilities

Needs the package of EfficientNet-Lite0 and about a minute with features on disk. Each number is over the same 300 5-way
episodes of novel classes, with L2 features at 128 px and 10 queries per class (5 for colour icons). The class names
have synthetic vectors: the mean of the class plus noise of the same length as its distance from the mean of all
classes. They use the queries' own images, so compare heads, not levels. The numbers go to
results/few_shot_probabilities.json; the table in docs/evaluators.md comes from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from fewshot.datasets import LabelledImages
from fewshot.episodes.batch import EpisodeBatch
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import FeatureEvaluator
from fewshot.evaluators.gaussian_head import GaussianHead
from fewshot.evaluators.zero_shot import ZeroShot
from fewshot.evaluators.zero_shot_gaussian import ZeroShotGaussian
from fewshot.features.table import feature_table
from fewshot.plugins.registry import BACKBONES, DATASETS, SPLITS
from fewshot.samplers.balanced import Balanced

RESULTS = Path(__file__).parent / "results" / "few_shot_probabilities.json"
BACKBONE = "Packaged('tf_efficientnet_lite0', image_size=128)"
DATA = {"Icons('mono')": 10, "Icons('colour')": 5, "Glyphs()": 10}  # queries per class
SHOTS = (1, 2, 5, 10)
HEADS: Mapping[str, FeatureEvaluator] = {
    "GaussianHead()": GaussianHead(),
    "GaussianHead(scale='support')": GaussianHead(scale="support"),
    "GaussianHead(scale='leave-one-out')": GaussianHead(scale="leave-one-out"),
    "ZeroShot()": ZeroShot(),
    "ZeroShotGaussian()": ZeroShotGaussian(),
    "ZeroShotGaussian(scale='support')": ZeroShotGaussian(scale="support"),
    "ZeroShotGaussian(scale='leave-one-out')": ZeroShotGaussian(scale="leave-one-out"),
}
N_EPISODES, N_WAY, N_BINS = 300, 5, 15


def main() -> None:
    """Measures all heads, writes the file and prints the table."""
    rows = [row for data in DATA for row in measured(data)]
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


def measured(data: str) -> Iterator[dict[str, str | int | float]]:
    """Accuracy, log loss and calibration error of each head at each number of shots."""
    dataset = DATASETS.make(data)
    images = dataset.load()
    classes = SPLITS.make(dataset.default_split()).split(images).classes("novel", images)
    rows = np.flatnonzero(np.isin(images.labels, classes))
    features = feature_table(images, BACKBONES.make(BACKBONE).load(), rows, progress=False).gather(rows)
    vectors = torch.zeros(len(images), features.shape[1])
    vectors[torch.from_numpy(rows)] = normalize(features, dim=1)
    names = name_vectors(vectors, images, classes)
    for k_shot, (name, head) in product(SHOTS, HEADS.items()):
        shape = EpisodeShape(N_WAY, k_shot, DATA[data])
        if int(np.bincount(images.labels)[classes].min()) < k_shot + DATA[data]:
            continue  # too few images per class
        episodes = Balanced().sample(images, classes, shape, seed=0, start=0, count=N_EPISODES)
        support, query = (
            torch.from_numpy(part.astype(np.int64)).view(N_EPISODES, -1) for part in (episodes.support, episodes.query)
        )
        labels = torch.arange(N_WAY).repeat_interleave(k_shot).repeat(N_EPISODES, 1)
        of_ways = names[torch.from_numpy(episodes.classes.astype(np.int64)).view(N_EPISODES, N_WAY)]
        held = torch.ones_like(labels, dtype=torch.bool)
        batch = EpisodeBatch(vectors[support], labels, held, N_WAY, torch.arange(N_EPISODES), of_ways)
        truth = torch.arange(N_WAY).repeat_interleave(DATA[data]).repeat(N_EPISODES, 1)
        yield {"data": data, "shots": k_shot, "head": name, **quality(head.fit(batch)(vectors[query]), truth)}


def name_vectors(vectors: Tensor, images: LabelledImages, classes: np.ndarray) -> Tensor:
    """[C, D] synthetic unit vectors of the class names, zero for other classes."""
    means = torch.stack([vectors[torch.from_numpy(images.labels == label)].mean(0) for label in classes])
    noise = normalize(torch.randn(means.shape, generator=torch.Generator().manual_seed(0)), dim=1)
    away = (means - means.mean(0)).norm(dim=1, keepdim=True)
    names = torch.zeros(len(images.class_names), vectors.shape[1])
    names[torch.from_numpy(classes)] = normalize(means + away * noise, dim=1)
    return names


def quality(logits: Tensor, truth: Tensor) -> dict[str, float]:
    """Accuracy, log loss in nats, and the calibration error over 15 bins of confidence, of logits [E, M, N]."""
    log_p = torch.log_softmax(logits.double(), 2)
    confidence, answer = log_p.exp().max(2)
    right = (answer == truth).double()
    bins = (confidence * N_BINS).ceil().long().clamp(1, N_BINS).flatten()
    gaps = torch.zeros(N_BINS + 1, dtype=torch.float64).index_add_(0, bins, (confidence - right).flatten())
    return {
        "accuracy": round(float(right.mean()), 4),
        "log_loss": round(float(-log_p.gather(2, truth[:, :, None]).mean()), 4),
        "calibration_error": round(float(gaps.abs().sum() / right.numel()), 4),
    }


def table(rows: list[dict[str, str | int | float]]) -> str:
    """The markdown table: accuracy in %, log loss in nats and calibration error in %."""
    shots = sorted({int(row["shots"]) for row in rows})
    cells = {
        (row["data"], row["head"], row["shots"]): f"{100 * float(row['accuracy']):.1f} / {float(row['log_loss']):.2f}"
        f" / {100 * float(row['calibration_error']):.0f}"
        for row in rows
    }
    lines = ["| data | head | " + " | ".join(f"{k} shot{'s' * (k > 1)}" for k in shots) + " |"]
    lines.append("|---" * (2 + len(shots)) + "|")
    for data, head in dict.fromkeys((row["data"], row["head"]) for row in rows):
        lines.append(f"| {data} | `{head}` | {' | '.join(cells.get((data, head, k), '') for k in shots)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
