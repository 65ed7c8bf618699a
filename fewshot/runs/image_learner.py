"""Learning from images: an evaluator that tunes a network on the images of a data set."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from fewshot.backbones import Backbone
from fewshot.backbones._counts import activation_bytes
from fewshot.backbones._stillness import unchanged
from fewshot.datasets import LabelledImages
from fewshot.episodes.batch import EpisodeBatch
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Rows
from fewshot.evaluators import ImageEvaluator
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.runs.learners import Answers, Learner, answers_of
from fewshot.runs.side_by_side import fits_one_thread, lanes

if TYPE_CHECKING:
    from fewshot.evaluators.tuning.table import FrozenTable


@dataclass(frozen=True)
class ImageLearner(Learner):
    """An image evaluator with the images of a data set."""

    evaluator: ImageEvaluator
    images: LabelledImages
    backbone: Backbone
    frozen: FrozenTable | None = None
    query_chunk: int = 64

    def items(self, rows: Rows) -> ImageRows:
        fixed = torch.from_numpy(self.images.orientation_matters[rows])
        return ImageRows(self.images.images, torch.from_numpy(rows.astype(np.int64)), fixed, self.frozen)

    def answer(
        self, batch: EpisodeBatch[Rows], query_rows: Rows, query_mask: NDArray[np.bool_], chunk: int, probe: bool
    ) -> Answers:
        head = self.evaluator.fit(self._gathered(batch), self.backbone)
        return answers_of(self, head, self.items, query_rows, batch.n_way, chunk, probe)

    def watched(self) -> AbstractContextManager[None]:
        """A context that raises an error if solving changes the given network."""
        return unchanged(self.backbone.network, self.backbone.name, f"solving episodes with {self.evaluator!r}")

    def on_one_thread(self, n_support: int) -> bool:
        if not self.evaluator.trains_alone or self.backbone.device.type != "cpu":
            return False
        return fits_one_thread(n_support, self._activation_bytes)

    def lanes(self, episodes: Episodes) -> int:
        largest = int(np.diff(episodes.support_start).max(initial=0))
        return lanes(largest, self._activation_bytes) if self.on_one_thread(largest) else 1

    @cached_property
    def _activation_bytes(self) -> int | None:
        """Of one image, the first of the data set; None if it cannot be read: episodes may not need it."""
        try:
            shape = self.backbone.preprocess(self.images.images[0]).shape
        except (OSError, ValueError):
            return None
        return activation_bytes(self.backbone.network, tuple(shape))

    def batch_and_chunk(self, n_support: int, n_query: int, n_way: int, budget_bytes: int) -> tuple[int, int]:
        at_once = self.evaluator.episodes_at_once(n_support, n_way, self.backbone.dim, budget_bytes)
        return at_once, min(n_query, self.query_chunk)
