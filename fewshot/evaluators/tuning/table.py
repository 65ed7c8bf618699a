"""Outputs of the frozen part of a network, computed once for each image of a run."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fewshot.evaluators.tuning.split import Split, Trunk, find_split
from fewshot.features.embedding import Embedder
from fewshot.features.out_of_memory import halved_until_it_fits
from fewshot.features.settings import BATCH, EmbeddingSettings
from fewshot.features.use import UNUSED, EmbeddingUse
from fewshot.files.progress import progress_bar

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages

_MOST_BYTES = 512 << 20  # for a table of the whole data set, so that a shard decides like the whole run

_MOST_INPUTS = 4  # a cut with activations larger than this many inputs comes too early to save much


@dataclasses.dataclass(frozen=True, eq=False)
class FrozenTable:
    """Activations at the cut, by row of the data set."""

    split: Split
    rows: NDArray[np.int64]  # sorted
    values: Tensor  # [len(rows), F] float32
    seconds: float  # to compute them
    use: EmbeddingUse = UNUSED  # of the device

    def gather(self, rows: Tensor) -> Tensor:
        """[k, F] activations of these rows, a copy."""
        return self.values.index_select(0, torch.from_numpy(np.searchsorted(self.rows, rows.numpy())))


def frozen_table(
    images: LabelledImages, backbone: Backbone, network: nn.Module, rows: NDArray[np.int64], progress: bool
) -> FrozenTable | None:
    """The table of these rows for a network whose trained parameters have gradients; None if nothing is frozen, or if
    the activations are too large."""
    start = time.monotonic()
    rows = np.unique(rows)
    example = torch.stack([backbone.preprocess(images.images[int(row)]) for row in rows[:2]]).to(backbone.device)
    split = find_split(network, example)
    if split is None or split.size > _MOST_INPUTS * example[0].numel() or 4 * split.size * len(images) > _MOST_BYTES:
        return None
    trunk = dataclasses.replace(backbone, network=Trunk(network, split).eval(), dim=split.size)

    def filled(batch: int) -> tuple[Tensor, EmbeddingUse]:
        return _filled(Embedder(images, trunk, "float32", EmbeddingSettings(batch)), rows, split.size, progress)

    (values, use), _ = halved_until_it_fits(filled, BATCH, "images")
    return FrozenTable(split, rows, values, time.monotonic() - start, use)


def _filled(embedder: Embedder, rows: NDArray[np.int64], size: int, progress: bool) -> tuple[Tensor, EmbeddingUse]:
    """The activations [len(rows), size], all in batches of one size, and how the device was used."""
    values = torch.empty(len(rows), size)
    with progress_bar(len(rows), "frozen part", "image", progress) as bar:
        for some, activations in embedder.features(rows):
            values[torch.from_numpy(np.searchsorted(rows, some))] = torch.from_numpy(activations)
            bar.update(len(some))
    return values, embedder.meter.use()
