"""How much accuracy do the default strengths of heads lose against the best value of a grid?

    python -m fewshot.benchmarks.head_strengths              measure what is missing
    python -m fewshot.benchmarks.head_strengths --table      print the tables

A cell is a data set, a backbone, a number of ways and of shots. All values of a grid answer the same episodes on
L2-normalised features, the default of `fewshot run`. "Loss" is the accuracy of the best value of the grid minus that of
a value, in points. Data: all bundled sets (novel classes), FashionMNIST (Debian's package dataset-fashion-mnist; its
test images) and the digits of scikit-learn as vectors. The accuracies go to results/head_strengths.json after every
cell, and the script resumes from there; the tables in docs/evaluators.md come from that file.

Heads that use vectors of class names keep their published strengths: what is best depends on how good the vectors are,
and no real ones are bundled.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fewshot.benchmarks.strength_tables import Measured, head_table, probe_table, read
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from fewshot.datasets import LabelledImages
from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.episodes.batch import EpisodeBatch
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators import FeatureEvaluator
from fewshot.evaluators.gaussian_head import GaussianHead
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.linear_svm import LinearSVM
from fewshot.evaluators.mahalanobis import Mahalanobis
from fewshot.evaluators.matching import Matching
from fewshot.evaluators.nearest_neighbour import NearestNeighbour
from fewshot.evaluators.ridge_probe import RidgeProbe
from fewshot.features.table import feature_table
from fewshot.files.atomic import write_atomically
from fewshot.plugins.registry import BACKBONES, DATASETS, SPLITS
from fewshot.samplers.balanced import Balanced

WRITTEN_TO = Path(__file__).parent / "results" / "head_strengths.json"
DIGITS = "digits of scikit-learn"
DATA = {"Icons('mono')": 10, "Icons('colour')": 3, "Glyphs()": 10, "TorchvisionSet('FashionMNIST')": 10, DIGITS: 10}
BACKBONES_OF = (
    "Packaged('tf_efficientnet_lite0', image_size=128)",
    "Packaged('mobilenetv2_100', image_size=128)",
    "RawPixels(image_size=16)",
)
SHOTS = (1, 2, 5, 10, 25)
EPISODES: Mapping[int | str, int] = {5: 120, 20: 24, "all": 4}  # by ways
MOST_ROWS = 700  # in a support of all ways; larger ones take minutes per episode
WIDE = (0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 10000.0)
_AT_ONCE = 2**27  # bytes of the episodes that are solved together
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Values of one field of a head, and the numbers of ways and shots that they are measured at."""

    head: FeatureEvaluator
    field: str
    values: tuple[Any, ...]
    ways: tuple[int | str, ...] = (5, 20)
    shots: tuple[int, ...] = (1, 5)

    @property
    def name(self) -> str:
        """The head with the field left open, such as "NearestNeighbour(k)"."""
        return f"{type(self.head).__name__}({self.field})"

    @property
    def members(self) -> list[FeatureEvaluator]:
        """One head per value."""
        return [replace(self.head, **{self.field: value}) for value in self.values]  # type: ignore[type-var]


GRIDS = (
    Grid(LinearProbe(), "C", WIDE, (5, 20, "all"), SHOTS),
    Grid(RidgeProbe(), "l2", (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)),
    Grid(LinearSVM(), "C", (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)),
    Grid(NearestNeighbour(), "k", (1, 3, 5)),  # 5-way 1-shot episodes have no more rows
    Grid(Matching(), "temperature", (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)),
    Grid(GaussianHead(), "shrinkage", (None, 0.1, 0.3, 0.5, 0.9)),
    Grid(Mahalanobis(), "beta", (0.001, 0.01, 0.1, 1.0, 10.0)),
)


@dataclass(frozen=True, eq=False)
class World:
    """The unit vectors of a data set, and what episodes are sampled from."""

    images: LabelledImages
    vectors: Tensor  # [n, D] float32; zero for images that no episode holds
    classes: Ints
    part: str | None  # the image group that episodes are sampled from

    def episodes(self, ways: int | str, k_shot: int, n_query: int) -> tuple[EpisodeBatch[Tensor], Tensor] | None:
        """The supports and the queries [E, N n_query, D] of episodes; None where images or classes are too few."""
        sizes = np.bincount(self.images.labels[self.images.mask(self.part)], minlength=len(self.images.class_names))
        classes = self.classes[sizes[self.classes] >= k_shot + n_query]
        n_way, count = len(classes) if isinstance(ways, str) else ways, EPISODES[ways]
        if not 2 <= n_way <= len(classes) or (ways == "all" and n_way * k_shot > MOST_ROWS):
            return None
        shape = EpisodeShape(n_way, k_shot, n_query)
        drawn = Balanced(self.part, self.part).sample(self.images, classes, shape, 0, 0, count)
        support, query = (
            torch.from_numpy(rows.astype(np.int64)).view(count, -1) for rows in (drawn.support, drawn.query)
        )
        labels = torch.arange(n_way).repeat_interleave(k_shot).repeat(count, 1)
        held = torch.ones_like(labels, dtype=torch.bool)
        batch = EpisodeBatch(self.vectors[support], labels, held, n_way, torch.arange(count))
        return batch, self.vectors[query]


@cache
def world(data: str, backbone: str) -> World:
    """The data set behind the backbone, L2-normalised; digits are vectors already."""
    if data == DIGITS:
        from sklearn.datasets import load_digits

        digits = load_digits()
        vectors = torch.from_numpy(np.asarray(digits.data, dtype=np.float32))
        return World(
            labelled_vectors(vectors, digits.target.astype(str)), normalize(vectors, dim=1), np.arange(10), None
        )
    dataset = DATASETS.make(data)
    images, split = dataset.load(), dataset.default_split()
    classes = np.arange(len(images.class_names))
    if split is not None:
        classes = SPLITS.make(split).split(images).classes("novel", images)
    part = "partition=test" if "partition" in images.image_groups else None
    rows = np.flatnonzero(np.isin(images.labels, classes) & images.mask(part))
    features = feature_table(images, BACKBONES.make(backbone).load(), rows, progress=False).gather(rows)
    vectors = torch.zeros(len(images), features.shape[1])
    vectors[torch.from_numpy(rows)] = normalize(features, dim=1)
    return World(images, vectors, classes, part)


def cells() -> Iterator[tuple[Grid, str, str, int | str, int]]:
    """All grids on all data sets, backbones, ways and shots; the digits need no backbone."""
    for grid in GRIDS:
        for data, backbone, ways, shots in product(DATA, BACKBONES_OF, grid.ways, grid.shots):
            if data != DIGITS:
                yield grid, data, backbone, ways, shots
            elif backbone == BACKBONES_OF[0]:
                yield grid, data, "Given()", ways, shots


def measure(path: Path, only: str = "") -> None:
    """Measures the cells that the file lacks, of the heads with this text in their name."""
    for grid, data, backbone, ways, shots in cells():
        kept = read(path)
        if only not in grid.name or any(one.is_cell(grid.name, data, backbone, str(ways), shots) for one in kept):
            continue
        drawn = world(data, backbone).episodes(ways, shots, DATA[data])
        if drawn is not None:
            right = accuracies(grid, *drawn)
            kept.append(Measured.of(grid.name, data, backbone, str(ways), shots, grid.values, right))
            write_atomically(path, (json.dumps([asdict(row) for row in kept], indent=1) + "\n").encode())
            print(grid.name, data, backbone, ways, shots, flush=True)


def accuracies(grid: Grid, batch: EpisodeBatch[Tensor], query: Tensor) -> Floats:
    """[E, values] the accuracy of each value of the grid on each episode."""
    n_episodes, n_support, dim = batch.support.shape
    one = grid.head.working_bytes(n_support, batch.n_way, dim) + 16 * (n_support + query.shape[1]) * dim
    truth = torch.arange(batch.n_way).repeat_interleave(query.shape[1] // batch.n_way)
    parts = []
    for episodes in torch.split(torch.arange(n_episodes), max(1, _AT_ONCE // one)):
        heads = grid.head.fit_path(batch.take(episodes), grid.members)
        right = [(head(query[episodes]).argmax(2) == truth).double().mean(1) for head in heads]
        parts.append(torch.stack(right, 1).numpy())
    return np.concatenate(parts)


def main() -> None:
    """Measures and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="print the tables without measuring anything")
    parser.add_argument("--only", default="", metavar="TEXT", help="measure only heads with this text in their name")
    parser.add_argument("--json", type=Path, default=WRITTEN_TO, help="read and write the measurements in this file")
    options = parser.parse_args()
    if not options.table:
        measure(options.json, options.only)
    print(probe_table(read(options.json)))
    print(head_table(read(options.json)))


if __name__ == "__main__":
    main()
