"""A run from its spec to its row, and suites of runs that resume.

    images -> class split -> episodes -> features -> transform -> evaluator -> predictions -> row

If the spec has a selection rule, ordinary runs choose the evaluator's hyperparameters first (selection.py). This file
imports torch and timm only if something has to be computed.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.datasets._loading import load_images
from fewshot.episodes.lists import EpisodeList
from fewshot.features.settings import USUAL, EmbeddingSettings
from fewshot.files.locks import Busy
from fewshot.files.places import without_places
from fewshot.files.progress import progress_bar, show_step
from fewshot.plugins import foreign
from fewshot.plugins.held import HeldSpec
from fewshot.plugins.registry import SPLITS
from fewshot.plugins.spec import Spec
from fewshot.results import provenance
from fewshot.results.columns import Cost, RunName, Score
from fewshot.results.files import Results
from fewshot.results.made_here import remember_run
from fewshot.results.parts import PredictionParts
from fewshot.results.predictions import keeps_logits
from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection
from fewshot.runs import guards
from fewshot.runs.background import wait_for_loops
from fewshot.runs.columns import Design, digests, honesty, score, spec_columns, training
from fewshot.runs.loading import load_backbone
from fewshot.runs.names import text_prompts
from fewshot.runs.pace import Pace
from fewshot.runs.portions import portions
from fewshot.runs.resources import ResourceMeter, embedding_costs, joined, resources
from fewshot.runs.selection import choose
from fewshot.runs.specs import Listed, PreparedRun, RunSpec, Sampled, check_class_names, split_of
from fewshot.runs.turns import in_turns

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.features.table import FeatureTable
    from fewshot.runs.learners import Learner

__all__ = ["Listed", "PreparedRun", "RunSpec", "Sampled", "Selection", "Workbench", "run", "run_all"]

_log = logging.getLogger("fewshot")


@dataclass(frozen=True, eq=False)
class Workbench:
    """What runs share (loaded images and networks), and how to compute. None of these settings changes a number, except
    that a device and the settings of embedding round in their own way."""

    budget_bytes: int | None = None  # for a batch of episodes; None: a size that fits the processor's cache
    device: str | None = None
    progress: bool = True
    folder: Path | None = None  # for features; None: the usual cache
    embedding: EmbeddingSettings = USUAL
    heads_device: str | None = None  # of evaluators of features; None: the CPU, or the network's for large episodes
    images: Callable[[Spec], LabelledImages] = field(default_factory=lambda: cache(load_images))
    backbone: Callable[[Spec], Backbone] = field(default_factory=lambda: cache(load_backbone))

    def prepare(self, spec: RunSpec) -> PreparedRun:
        """The checked data side of a run. A wrong split, a wrong list or a network for vectors raises a ValueError."""
        rule = spec.split or spec.dataset.make().default_split()
        if rule is not None:
            check_class_names(spec.dataset, SPLITS.spec(rule))
        images = self.images(spec.dataset)
        images.check_backbone(spec.backbone.text, spec.backbone.declares("stands_for_vectors"))
        if images.vectors is not None and spec.dtype != "float32":
            raise ValueError(f"{images.name} holds vectors, which no network computes; remove dtype={spec.dtype!r}")
        if rule is None:
            raise ValueError(
                f"{spec.dataset} has no default split; give one, such as split='AllNovel()' if the backbone has seen "
                "none of its classes"
            )
        listed = None
        if isinstance(spec.episodes, Listed):
            listed = EpisodeList.load(Path(spec.episodes.path))
            listed.check(images)
            listed.require_numbered()
        prepared = PreparedRun(spec, images, split_of(images, SPLITS.spec(rule)), listed)
        shots = spec.episodes.shape.k_shot if isinstance(spec.episodes, Sampled) else None
        guards.check_support(spec.evaluator, shots, None if listed is None else listed.episodes)
        guards.check_seen(spec.transform, prepared.split, images.name, spec.protocol if spec.benchmark_set else "")
        text_prompts(spec.evaluator, spec.backbone, images)  # raises now if a head of names has no vectors
        if prepared.n_episodes * len(images) > guards.MOST_IMAGES_OF_A_RUN:
            first = prepared.episodes(0, 1)
            guards.check_size(prepared.n_episodes, first, guards.MOST_IMAGES_OF_A_RUN, "a run")
        guards.warn_similar_names(prepared.split, spec.classes)
        if listed is None:
            guards.warn_unseparated_groups(images, prepared.sampler)
        else:
            guards.check_classes(listed.episodes, prepared.classes, spec.classes, images)
        return prepared

    def features(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], dtype: str, wait: bool = True
    ) -> FeatureTable:
        """The features of these rows; this computes those that are not on disk. Without `wait`, this raises Busy if
        another process computes some of the same table."""
        from fewshot.features.table import feature_table

        return feature_table(images, backbone, rows, dtype, self.progress, self.folder, self.embedding, wait)

    def class_vectors(self, images: LabelledImages, backbone: Backbone) -> NDArray[np.float32]:
        """The vectors of the class names by the backbone's text tower; this computes those that are not on disk."""
        from fewshot.features.class_vectors import class_vectors

        folder = None if self.folder is None else self.folder / "class_vectors"
        return class_vectors(backbone, images.name, images.class_names, self.progress, folder)


def run(
    spec: RunSpec, results: Results | str | Path, workbench: Workbench | None = None, shard: tuple[int, int] = (1, 1)
) -> Row | None:
    """The row of a run; this computes only the episodes that the results file does not hold yet.

    `results` is a path, such as "runs.jsonl", or `Results(path)`. A wrong spec, or data that do not fit, is a
    ValueError of one sentence.

    With `shard=(i, n)`, process i of n solves its shard of the episodes. The process that solves the last missing
    episodes gets the row; the others get None. A process that is asked for episodes that another process solves waits
    for it, with a warning that names it, and takes its row.
    """
    return _run(spec, Results.at(results), workbench or Workbench(), shard)


def _run(spec: RunSpec, results: Results, bench: Workbench, shard: tuple[int, int], wait: bool = True) -> Row | None:
    """The row of a run; without `wait`, this raises Busy if another process solves one of its episodes or embeds its
    images."""
    if not 1 <= shard[0] <= shard[1]:
        raise ValueError(f"shard=(i, n) must be shard i of n with 1 <= i <= n; got {shard}")
    prepared = bench.prepare(spec)
    if not isinstance(spec.dataset, HeldSpec):
        remember_run(prepared.run_id, spec.dataset.text, prepared.images.images_digest)
    row = results.row(prepared.run_id)
    if row is not None and row.n_episodes >= prepared.n_episodes:
        return _of_benchmark(_with_all_columns(row, prepared, results), spec, results)
    chosen = _chosen(prepared, results, bench, shard, wait)
    return None if chosen is None else _compute(chosen, results, bench, shard, row, wait)


def solve_range(spec: RunSpec, results: Results, bench: Workbench, first: int, last: int) -> None:
    """Stores the predictions of the episodes first to last - 1 of a run, as far as they are missing, and writes no row.

    A run that chooses hyperparameters takes the stored rows of its trials, and computes those that are missing.
    """
    prepared = bench.prepare(spec)
    row = results.row(prepared.run_id)
    if row is not None and row.n_episodes >= prepared.n_episodes:
        return
    chosen = _chosen(prepared, results, bench, (1, 1), True)
    assert chosen is not None
    _Computation.of(chosen, results, bench, row).solve(first, min(last, prepared.n_episodes), True)


def _chosen(
    prepared: PreparedRun, results: Results, bench: Workbench, shard: tuple[int, int], wait: bool
) -> PreparedRun | None:
    """The run with the hyperparameters that it chooses; None while a trial is incomplete."""
    if prepared.spec.selection is None:
        return prepared
    choice = choose(prepared, bench.prepare, partial(_tried, results.trials, bench, shard), wait)
    return None if choice is None else replace(prepared, choice=choice)


def _with_all_columns(row: Row, prepared: PreparedRun, results: Results) -> Row:
    """The row; a row of an older release gets its missing columns, if its predictions still exist. Solves nothing."""
    if row.new_classes_unit:
        return row
    try:
        found, digest = _score(prepared, results.parts(row.run_id), row.n_episodes)
    except ValueError:  # predictions are gone, or some of them
        return row
    if (digest, found.accuracy) != (row.episodes_digest, row.accuracy):
        return row
    with results.locked(row.run_id):
        latest = results.row(row.run_id) or row
        if latest.new_classes_unit:  # another process was faster
            return latest
        results.append(renewed := Row.of(row, found))
    return renewed


def _of_benchmark(row: Row, spec: RunSpec, results: Results) -> Row:
    """The row, which names the benchmark of the spec from now on, if it was computed without it or for another one."""
    if not spec.benchmark_set or row.n_episodes != spec.n_episodes:
        return row
    if (row.protocol, row.benchmark_set) == (spec.protocol, spec.benchmark_set):
        return row
    with results.locked(row.run_id):
        results.append(renamed := Row.of(row, _run_name(row.run_id, spec)))
    return renamed


def _run_name(run_id: str, spec: RunSpec) -> RunName:
    return RunName(run_id, protocol=spec.protocol, benchmark_set=spec.benchmark_set)


def _score(prepared: PreparedRun, parts: PredictionParts, n_episodes: int) -> tuple[Score, str]:
    """What stored predictions say, and the digest of their episodes."""
    names, depend = prepared.images.class_names, prepared.draws_depend
    design = Design(names, prepared.classes, prepared.pools_of, prepared.groups, depend)
    return score(parts.read(n_episodes), design)


def _tried(
    results: Results, bench: Workbench, shard: tuple[int, int], trial: PreparedRun, wait: bool = True
) -> Row | None:
    """The row of a trial, with exactly its episodes and the present weights."""
    row = results.row(trial.run_id)
    weights = bench.backbone(trial.spec.backbone).weights_digest
    if row is not None and (row.n_episodes, row.weights_digest) == (trial.n_episodes, weights):
        return row
    return _compute(trial, results, bench, shard, row, wait)


def _compute(
    prepared: PreparedRun, results: Results, bench: Workbench, shard: tuple[int, int], old: Row | None, wait: bool
) -> Row | None:
    """The row of a run, after this has solved the missing episodes of a shard; None if others are still missing."""
    computation = _Computation.of(prepared, results, bench, old)
    first, last = (prepared.n_episodes * i // shard[1] for i in (shard[0] - 1, shard[0]))
    return computation.solve(first, last, wait) or computation.row()


@dataclass(frozen=True, eq=False)
class _Computation:
    """What the two steps of a run share: its episodes to predictions, and all predictions to its row."""

    prepared: PreparedRun
    results: Results
    bench: Workbench
    backbone: Backbone
    old: Row | None  # with fewer episodes or of other weights
    made_from: dict[str, str]

    @staticmethod
    def of(prepared: PreparedRun, results: Results, bench: Workbench, old: Row | None) -> _Computation:
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
        return _Computation(prepared, results, bench, backbone, old, made_from)

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
            self.results.append(row := _row(self.prepared, self.backbone, self.parts))
        return row

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
            for block in prepared.blocks(ranges):
                if prepared.listed is None:
                    guards.check_classes(block, prepared.classes, prepared.spec.classes, prepared.images)
                keeping = partial(solved, keep_logits=keeps_logits(block, prepared.n_episodes))
                lanes = learner.lanes(block)
                for part in portions(block, partial(pace.solved, keeping, lanes), at_least=lanes):
                    costs["seconds_solving"] = f"{time.monotonic() - start:.3f}"
                    self.parts.write(part, self.made_from | joined(costs, meter.costs()) | pace.costs())
                    costs, start = {}, time.monotonic()
                    del part  # frees its memory before the next one


def _learner(
    prepared: PreparedRun, backbone: Backbone, ranges: list[tuple[int, int]], bench: Workbench, wait: bool
) -> tuple[Learner, dict[str, str]]:
    """The learner of a run, and the cost of embedding."""
    from fewshot.runs.learners import ImageLearner, learner

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


def _row(prepared: PreparedRun, backbone: Backbone, parts: PredictionParts) -> Row:
    """The row of stored predictions."""
    found, episodes_digest = _score(prepared, parts, prepared.n_episodes)
    honest = honesty(prepared.evaluator, prepared.images, prepared.classes, backbone, prepared.prompts)
    costs = parts.costs()
    return Row.of(
        _run_name(prepared.run_id, prepared.spec),
        spec_columns(prepared.spec),
        found,
        honest if prepared.choice is None else prepared.choice.added_to(honest),
        training(backbone),
        Cost(
            seconds_embedding=costs.cost("seconds_embedding"),
            seconds_solving=costs.cost("seconds_solving"),
            n_embedded=int(costs.cost("n_embedded")),
            n_params=backbone.n_params,
            dim=backbone.dim,
            flops=backbone.flops,
        ),
        digests(prepared.images, backbone, episodes_digest, prepared.split.digest),
        provenance.current(backbone.device.type),
        resources(costs),
    )


def run_all(
    specs: Iterable[RunSpec],
    results: Results | str | Path,
    workbench: Workbench | None = None,
    shard: tuple[int, int] = (1, 1),
) -> Iterator[tuple[RunSpec, Row | None]]:
    """Every spec of a suite with its row, as they finish. A failed run leaves a row with its error; the suite
    continues. A run that another process computes comes last."""
    return in_turns(specs, partial(_row_or_error, Results.at(results), workbench or Workbench(), shard))


def _row_or_error(results: Results, bench: Workbench, shard: tuple[int, int], spec: RunSpec, wait: bool) -> Row | None:
    try:
        return _run(spec, results, bench, shard, wait)
    except Busy:
        raise
    except (Exception, SystemExit) as error:  # code of a user may call sys.exit
        _log.debug("%s failed", spec, exc_info=error)
        results.append(row := failed_row(spec, bench, why_failed(spec, error)))
        return row


def failed_row(spec: RunSpec, bench: Workbench, why: str) -> Row:
    """The row of a run that failed, with one sentence about the error."""
    try:
        run_id = bench.prepare(spec).run_id
    except Exception:  # the data side failed, so the spec alone names the run
        run_id = hashlib.sha256(repr(spec).encode()).hexdigest()[:16]
    failed = replace(_run_name(run_id, spec), status="failed", error=why)
    return Row.of(failed, spec_columns(spec), provenance.current(bench.device or ""))


def why_failed(spec: RunSpec, error: BaseException) -> str:
    """The sentence about an error that ended a run, without the places of this machine."""
    return error_sentence(error, map(str, vars(spec_columns(spec)).values()))


def error_sentence(error: BaseException, texts: Iterable[str]) -> str:
    """The sentence about an error, without the places of this machine. `texts`: specs that may name its cause."""
    text = str(error) or type(error).__name__
    if not isinstance(error, ValueError | OSError):
        text = foreign.sentence(error, texts)
    return without_places(" ".join(text.encode(errors="replace").decode().split()))
