"""The computation of a run: its missing episodes to predictions on disk, then all predictions to its row.

This file imports torch and timm only if something has to be computed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.files.progress import progress_bar, show_step
from fewshot.results.files import Results
from fewshot.results.parts import PredictionParts
from fewshot.results.predictions import keeps_logits
from fewshot.results.row import Row
from fewshot.runs import guards
from fewshot.runs.background import wait_for_loops
from fewshot.runs.pace import Pace
from fewshot.runs.portions import portions
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.resources import ResourceMeter, embedding_costs, joined
from fewshot.runs.run_rows import row_of
from fewshot.runs.workbench import Workbench

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.features.table import FeatureTable
    from fewshot.runs.learners import Learner

_log = logging.getLogger("fewshot")


@dataclass(frozen=True, eq=False)
class Computation:
    """What the two steps of a run share: its episodes to predictions, and all predictions to its row."""

    prepared: PreparedRun
    results: Results
    bench: Workbench
    backbone: Backbone
    old: Row | None  # with fewer episodes or of other weights
    made_from: dict[str, str]

    @staticmethod
    def of(prepared: PreparedRun, results: Results, bench: Workbench, old: Row | None) -> Computation:
        """The computation of a run, after removing old predictions that do not give their row."""
        backbone = bench.backbone(prepared.spec.backbone).to(bench.device).on(prepared.images)
        made_from = {
            "weights_digest": backbone.weights_digest,
            "preprocess_digest": backbone.preprocess_digest,
            "images_digest": prepared.images.images_digest,
        }
        if prepared.choice is not None:
            made_from["choice"] = prepared.choice.evaluator.text
        if old is not None and old.weights_digest == backbone.weights_digest:
            results.drop_changed(old)
        elif old is not None:
            _log.warning(
                "run %s was computed with other weights (%s, now %s); fewshot computes it again",
                prepared.run_id,
                old.weights_digest[:12],
                backbone.weights_digest[:12],
            )
        return Computation(prepared, results, bench, backbone, old, made_from)

    @property
    def parts(self) -> PredictionParts:
        """The stored predictions of the run."""
        return self.results.parts(self.prepared.run_id)

    def solve(self, first: int, last: int, wait: bool) -> Row | None:
        """Solves those of the episodes first to last - 1 whose predictions are not stored. The row, if another process
        has appended it meanwhile."""
        with self.results.locked_episodes(self.prepared.run_id, first, last, wait):
            if (row := self._finished_meanwhile()) is None:
                self._solve_missing(self.parts.missing(first, last, self.made_from), wait)
        return row

    def row(self) -> Row | None:
        """The row, which this appends once all predictions are stored; None before."""
        with self.results.locked(self.prepared.run_id):  # shards that finish at the same time append one row
            if (row := self._finished_meanwhile()) is not None:
                return row
            if self.parts.missing(0, self.prepared.n_episodes, self.made_from):
                return None
            if self.old is not None and self._give(self.old):
                return self.old
            self.results.append(row := row_of(self.prepared, self.backbone, self.parts))
        return row

    def _give(self, old: Row) -> bool:
        """Whether the stored predictions, which are whole, give an old row: they were repaired."""
        same = (old.n_episodes, old.weights_digest) == (self.prepared.n_episodes, self.backbone.weights_digest)
        return same and not self.results.fault(old)

    def _finished_meanwhile(self) -> Row | None:
        """The row that another process has appended since `old`, if it has all episodes, of the same weights."""
        row = self.results.row(self.prepared.run_id)
        if row is None or row == self.old or row.n_episodes < self.prepared.n_episodes:
            return None
        return row if row.weights_digest == self.backbone.weights_digest else None

    def _solve_missing(self, ranges: list[tuple[int, int]], wait: bool) -> None:
        """Embeds images, solves the episodes of these ranges and stores their predictions, with the cost of each part;
        the first part's cost includes embedding."""
        from fewshot.runs.solving import DEFAULT_BUDGET_BYTES, solve

        if not ranges:
            return
        prepared, bench = self.prepared, self.bench
        meter = ResourceMeter(self.backbone.device)
        learner, costs = _learner(prepared, self.backbone, ranges, bench, wait)
        wait_for_loops(prepared.evaluator)
        start = time.monotonic()
        n_missing = sum(stop - start for start, stop in ranges)
        with progress_bar(n_missing, prepared.evaluator.text, "episode", bench.progress) as bar:
            watch = partial(show_step, bar)
            budget = bench.budget_bytes or DEFAULT_BUDGET_BYTES
            solved = partial(solve, learner=learner, budget_bytes=budget, watch=watch)
            pace = Pace(prepared.evaluator.text, n_missing, bar.update)
            for block in self._blocks(ranges):
                keeping = partial(solved, keep_logits=keeps_logits(block, prepared.n_episodes))
                lanes = learner.lanes(block)
                for part in portions(block, partial(pace.solved, keeping, lanes), at_least=lanes):
                    costs["seconds_solving"] = f"{time.monotonic() - start:.3f}"
                    self.parts.write(part, self.made_from | joined(costs, meter.costs()) | pace.costs())
                    costs, start = {}, time.monotonic()
                    del part  # frees its memory before the next one

    def _blocks(self, ranges: list[tuple[int, int]]) -> Iterator[Episodes]:
        """The episodes of these ranges, block by block; an episode of other classes than the spec's raises an error."""
        prepared = self.prepared
        for block in prepared.blocks(ranges):
            if prepared.listed is None:
                guards.check_classes(block, prepared.classes, prepared.spec.classes, prepared.images)
            yield block


def _learner(
    prepared: PreparedRun, backbone: Backbone, ranges: list[tuple[int, int]], bench: Workbench, wait: bool
) -> tuple[Learner, dict[str, str]]:
    """The learner of a run, and the cost of embedding."""
    from fewshot.runs.image_learner import ImageLearner
    from fewshot.runs.learner_setup import learner

    tables: list[FeatureTable] = []

    def embed(images: LabelledImages, rows: NDArray[np.int64]) -> FeatureTable:
        tables.append(bench.features(images, backbone, rows, prepared.spec.dtype, wait))
        return tables[-1]

    named = None if prepared.prompts is None else partial(bench.class_vectors, backbone=backbone)
    solver = learner(prepared.needs(ranges), backbone, embed, bench.progress, named, bench.heads_device)
    seconds, n_embedded = sum(table.seconds for table in tables), sum(table.n_embedded for table in tables)
    uses = [table.use for table in tables]
    if isinstance(solver, ImageLearner):
        if solver.frozen is None:
            return solver, {}
        seconds, n_embedded, uses = solver.frozen.seconds, len(solver.frozen.rows), [solver.frozen.use]
    return solver, {"seconds_embedding": f"{seconds:.3f}", "n_embedded": str(n_embedded)} | embedding_costs(uses)
