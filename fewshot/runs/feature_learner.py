"""Learning from features: an evaluator with vectors that it gathers by row, or reads in the table that holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.episodes.flat import Rows
from fewshot.evaluators import FeatureEvaluator, TransductiveEvaluator
from fewshot.runs.guards import check_memory
from fewshot.runs.heads_device import BUDGET_BYTES, ON_CPU, HeadsDevice
from fewshot.runs.learners import Answers, Learner, answers_of
from fewshot.runs.shapes import check_logits

_ROW_BYTES = 64  # for the number, label, mask and summary of a row
Gather = Callable[[Rows], Tensor]  # rows [...] -> vectors [..., D]


@dataclass(frozen=True, eq=False)
class Held:
    """Vectors [n, D] in memory, gathered by row; row r is at place[r] (None: at r)."""

    vectors: Tensor
    place: Tensor | None = None

    def places(self, rows: Rows) -> NDArray[np.int64]:
        """The positions of the vectors of these rows."""
        where = torch.from_numpy(rows.astype(np.int64))
        return (where if self.place is None else self.place[where]).numpy()

    def __call__(self, rows: Rows) -> Tensor:
        """The vectors [..., D] of rows [...]."""
        where = torch.from_numpy(self.places(rows).reshape(-1))
        return self.vectors.index_select(0, where).view(*rows.shape, self.vectors.shape[1])


@dataclass(frozen=True)
class FeatureLearner(Learner):
    """A feature evaluator with vectors gathered by row."""

    evaluator: FeatureEvaluator | TransductiveEvaluator
    gather: Gather
    dim: int
    class_features: Tensor | None = None  # [C, D] vectors of the class names
    gather_views: tuple[Gather, ...] = ()  # one per further view of the support images
    heads: HeadsDevice = ON_CPU

    def items(self, rows: Rows) -> Tensor:
        return self.gather(rows)

    def answer(
        self, batch: EpisodeBatch[Rows], query_rows: Rows, query_mask: NDArray[np.bool_], chunk: int, probe: bool
    ) -> Answers:
        device = self.heads.of(batch.support.shape[1], self.dim)
        if isinstance(self.evaluator, TransductiveEvaluator):
            items, mask = self.items(query_rows).to(device), torch.from_numpy(query_mask).to(device)
            logits = self.evaluator.logits(self._gathered(batch).on(device), items, mask)
            shape = (*query_rows.shape, batch.n_way)
            return Answers(None, None, iter([check_logits(logits, shape, self.evaluator).cpu()]))
        if self._reads_table(self.evaluator, batch.n_way, device):
            assert isinstance(self.gather, Held)
            places = batch.seen_as(self.gather.places(batch.support))
            head = self.evaluator.fit_rows(self.gather.vectors, places)
            return answers_of(self, head, self.gather.places, query_rows, batch.n_way, chunk, probe)
        fitted = self.evaluator.fit(self._gathered(batch).on(device))
        return answers_of(self, fitted, lambda rows: self.items(rows).to(device), query_rows, batch.n_way, chunk, probe)

    def batch_and_chunk(self, n_support: int, n_query: int, n_way: int, budget_bytes: int) -> tuple[int, int]:
        """Vectors are in memory as float32 and as float64 while the evaluator works, unless it reads them in the
        table."""
        device, row_bytes = self.heads.of(n_support, self.dim), 12 * self.dim + 24 * n_way
        if device.type != "cpu":
            budget_bytes = max(budget_bytes, BUDGET_BYTES)
        if isinstance(self.evaluator, TransductiveEvaluator):
            whole = 4 * row_bytes * (n_support + n_query)
            check_memory(whole, n_support, n_way, repr(self.evaluator))
            return max(1, budget_bytes // whole), n_query
        if self._reads_table(self.evaluator, n_way, device):
            row_bytes, fixed = _ROW_BYTES + 24 * n_way, _ROW_BYTES * n_support
        else:
            fixed = row_bytes * n_support + self.evaluator.working_bytes(n_support, n_way, self.dim)
        check_memory(fixed + row_bytes, n_support, n_way, repr(self.evaluator))
        batch = max(1, budget_bytes // (fixed + row_bytes * n_query))
        return batch, max(1, min(n_query, max(budget_bytes - batch * fixed, budget_bytes // 4) // (batch * row_bytes)))

    def _reads_table(self, evaluator: FeatureEvaluator, n_way: int, device: torch.device) -> bool:
        """Whether the evaluator takes rows of the held table instead of vectors."""
        held = device.type == "cpu" and isinstance(self.gather, Held)
        return held and evaluator.fits_rows(self.gather.vectors, n_way)  # type: ignore[attr-defined]

    def _gathered(self, batch: EpisodeBatch[Rows]) -> EpisodeBatch[Any]:
        if not self.gather_views:
            return super()._gathered(batch)
        views = torch.stack([gather(batch.support) for gather in self.gather_views], dim=2)
        return batch.seen_as(self.items(batch.support), views)
