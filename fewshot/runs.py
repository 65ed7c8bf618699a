"""A run from its spec to its row: the pipeline on one screen, and suites of runs that resume.

    images -> class split -> episodes -> features -> transform -> evaluator -> predictions -> row

`RunSpec` names a run: what it says is hashed into the run id, what it costs and where things lie is not. torch and
timm are imported only when something has to be computed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fewshot import provenance
from fewshot.datasets import LabelledImages
from fewshot.episodes import Episodes, EpisodeShape, Ints, episodes_digest
from fewshot.plugins import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS, Registry
from fewshot.results import SCHEMA, PredictionParts, Results, Row
from fewshot.scoring import Predictions, episode_accuracy
from fewshot.splits import ClassSplit
from fewshot.statistics import episode_interval

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.features import FeatureTable
    from fewshot.solving import Learner

DTYPES = ("float32", "bfloat16")
_BLOCK_QUERIES = 1 << 20  # queries of the episodes that are drawn and solved between two writes
_BLOCK_SECONDS = 60.0  # and no more than about this long
_KEPT_LOGITS_BYTES = 64 << 20
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Sampled:
    """Episodes drawn by a sampler: episode i is a function of (sampler, shape, seed, i)."""

    shape: EpisodeShape = EpisodeShape()
    seed: int = 0
    sampler: str = "Balanced()"


@dataclass(frozen=True)
class Listed:
    """Episodes from a file that `Episodes.save` wrote."""

    path: Path


@dataclass(frozen=True)
class RunSpec:
    """Everything that should change the number. Members are given by their specs, or by objects, and kept as
    canonical text. `n_episodes` and `protocol` are not part of the identity: more episodes refine a result."""

    dataset: str
    backbone: str
    evaluator: str
    episodes: Sampled | Listed = Sampled()
    transform: str = "Identity()"
    classes: str = "novel"
    split: str | None = None  # None: the data set's own
    dtype: str = "float32"
    n_episodes: int = 600
    protocol: str = ""

    def __post_init__(self) -> None:
        from fewshot.names import shorthand

        for name, registry in _MEMBERS.items():
            value = getattr(self, name)
            if value is not None:
                value = shorthand(value) if name == "backbone" and isinstance(value, str) else value
                object.__setattr__(self, name, registry.canonical(value))
        if isinstance(self.episodes, Sampled):
            canonical = replace(self.episodes, sampler=SAMPLERS.canonical(self.episodes.sampler))
            object.__setattr__(self, "episodes", canonical)
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}; known: {', '.join(DTYPES)}")
        if self.n_episodes < 1:
            raise ValueError(f"n_episodes must be at least 1, got {self.n_episodes}")


_MEMBERS: dict[str, Registry] = {"dataset": DATASETS, "backbone": BACKBONES, "evaluator": EVALUATORS,
                                 "transform": TRANSFORMS, "split": SPLITS}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Task:
    """The data side of a run: images, the split of their classes, the classes that episodes are drawn from, and
    episodes by block."""

    spec: RunSpec
    images: LabelledImages
    split: ClassSplit
    listed: Episodes | None

    @cached_property
    def run_id(self) -> str:
        """16 hex digits that name the run."""
        spec = self.spec
        episodes: Any = self.listed.digest if self.listed is not None else dataclasses.asdict(spec.episodes)
        labels = hashlib.sha256(self.images.labels.astype("<i8").tobytes()).hexdigest()
        named = [SCHEMA, DATASETS.identity(spec.dataset), self.images.images_digest, labels, self.split.digest,
                 spec.classes, BACKBONES.identity(spec.backbone), spec.transform, spec.evaluator, episodes, spec.dtype]  # fmt: skip
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def classes(self) -> Ints:
        """Labels of the classes that episodes are drawn from."""
        return self.split.classes(self.spec.classes, self.images)

    @cached_property
    def n_episodes(self) -> int:
        """How many episodes are asked for; a list has no more than it has."""
        return self.spec.n_episodes if self.listed is None else min(self.spec.n_episodes, len(self.listed))

    def draw(self, start: int, stop: int) -> Episodes:
        """Episodes start..stop-1."""
        if self.listed is not None:
            return self.listed[start:stop]
        assert isinstance(self.spec.episodes, Sampled)
        sampled = self.spec.episodes
        sampler = SAMPLERS.make(sampled.sampler)
        drawn: Episodes = sampler.sample(self.images, self.classes, sampled.shape, sampled.seed, start, stop - start)
        return drawn

    @cached_property
    def block(self) -> int:
        """How many episodes to hold at once."""
        return max(1, min(4096, _BLOCK_QUERIES // max(1, len(self.draw(0, 1).query))))

    def blocks(self, ranges: Iterable[tuple[int, int]]) -> Iterator[Episodes]:
        """The episodes of these ranges, a bounded number at a time."""
        for start, stop in ranges:
            for low in range(start, stop, self.block):
                yield self.draw(low, min(low + self.block, stop))


@dataclass(frozen=True, eq=False)
class Workbench:
    """What runs share: loaded images, networks, feature tables; and how to compute. Nothing here changes a number."""

    budget_bytes: int = 256 << 20
    device: str | None = None
    progress: bool = True
    images: Callable[[str], LabelledImages] = field(default_factory=lambda: cache(_load_images))
    backbone: Callable[[str], Backbone] = field(default_factory=lambda: cache(_load_backbone))

    def task(self, spec: RunSpec) -> Task:
        """The data side of a run, checked: a wrong split or list is a ValueError."""
        images = self.images(spec.dataset)
        rule = spec.split or DATASETS.make(spec.dataset).default_split()
        if rule is None:
            raise ValueError(f"{spec.dataset} has no split of its own; give one, such as split='AllNovel()' when "
                             "the backbone saw none of its classes")  # fmt: skip
        listed = None
        if isinstance(spec.episodes, Listed):
            listed = Episodes.load(spec.episodes.path)
            listed.check(images)
        return Task(spec, images, SPLITS.make(rule).split(images), listed)

    def features(self, task: Task, backbone: Backbone, rows: NDArray[np.int64]) -> FeatureTable:
        """The features of these rows, computed where they are not on disk."""
        from fewshot.features import feature_table

        return feature_table(task.images, backbone, rows, dtype=task.spec.dtype, device=self.device,
                             progress=self.progress)  # fmt: skip


def _load_images(dataset: str) -> LabelledImages:
    images: LabelledImages = DATASETS.make(dataset).load()
    return images


def _load_backbone(backbone: str) -> Backbone:
    loaded: Backbone = BACKBONES.make(backbone).load()
    return loaded


def run(spec: RunSpec, results: Results, workbench: Workbench | None = None, shard: tuple[int, int] = (1, 1)) -> Row | None:
    """The row of a run; only what the results file does not hold yet is computed.

    With `shard=(i, n)` the i-th of n processes solves its part of the episodes; the row appears with the last part,
    until then None is returned.
    """
    bench = workbench or Workbench()
    task = bench.task(spec)
    row = results.row(task.run_id)
    if row is not None and row.status == "ok" and row.n_episodes >= task.n_episodes:
        return row
    return _compute(task, results, bench, shard, row)


def _compute(task: Task, results: Results, bench: Workbench, shard: tuple[int, int], old: Row | None) -> Row | None:
    backbone = bench.backbone(task.spec.backbone)
    parts = results.parts(task.run_id)
    if old is not None and old.status == "ok" and old.weights_digest != backbone.weights_digest:
        _log.warning("%s was run with other weights (%s, now %s); it runs again", task.run_id,
                     old.weights_digest[:12], backbone.weights_digest[:12])  # fmt: skip
    made_from = {"weights_digest": backbone.weights_digest, "images_digest": task.images.images_digest}
    first, last = (task.n_episodes * i // shard[1] for i in (shard[0] - 1, shard[0]))
    cost = _solve_missing(task, backbone, parts, parts.missing(first, last, made_from), made_from, bench)
    if parts.missing(0, task.n_episodes, made_from):
        return None
    row = _row(task, backbone, parts, cost)
    results.append(row)
    return row


@dataclass
class _Cost:
    seconds_embedding: float = 0.0
    seconds_solving: float = 0.0
    n_embedded: int = 0


def _solve_missing(task: Task, backbone: Backbone, parts: PredictionParts, ranges: list[tuple[int, int]],
                   made_from: dict[str, str], bench: Workbench) -> _Cost:  # fmt: skip
    """Embeds what is needed, solves the episodes of these ranges and stores their predictions."""
    from fewshot.solving import solve

    cost = _Cost()
    if not ranges:
        return cost
    learner = _learner(task, backbone, ranges, bench, cost)
    start = time.monotonic()
    n_missing = sum(stop - start for start, stop in ranges)
    hidden = None if bench.progress else True
    with tqdm(total=n_missing, desc=task.spec.evaluator, unit="episode", disable=hidden, leave=False) as bar:
        for block in task.blocks(ranges):
            keep = len(block.query) / len(block) * int(block.n_way.max()) * 2 * task.n_episodes <= _KEPT_LOGITS_BYTES
            for part in _in_time(block, lambda e, keep=keep: solve(e, learner, bench.budget_bytes, keep), bar.update):
                parts.write(part, made_from)
    cost.seconds_solving = time.monotonic() - start
    return cost


def _in_time(block: Episodes, solved: Callable[[Episodes], Predictions], tell: Callable[[int], Any]) -> Iterator[Predictions]:
    """The block solved, in parts that took about _BLOCK_SECONDS: what a kill can cost. Where it is cut never
    changes a prediction."""
    pending: list[Predictions] = []
    size, low, since = 1, 0, time.monotonic()
    while low < len(block):
        start = time.monotonic()
        pending.append(solved(block[low : low + size]))
        tell(len(pending[-1]))
        low += size
        pace = max(time.monotonic() - start, 1e-6) / size
        size = max(1, min(4 * size, int(_BLOCK_SECONDS / pace)))
        if low >= len(block) or time.monotonic() - since > _BLOCK_SECONDS:
            yield Predictions.concatenate(pending)
            pending, since = [], time.monotonic()


def _learner(task: Task, backbone: Backbone, ranges: list[tuple[int, int]], bench: Workbench, cost: _Cost) -> Learner:
    """The evaluator with what it learns from: transformed features, or the images and the network."""
    from fewshot.evaluators import ImageEvaluator
    from fewshot.solving import FeatureLearner, ImageLearner

    evaluator = EVALUATORS.make(task.spec.evaluator)
    if isinstance(evaluator, ImageEvaluator):
        if task.spec.transform != "Identity()":
            raise ValueError(f"{task.spec.transform} is for feature vectors, but {task.spec.evaluator} tunes the network "
                             "on images; leave the transform out")  # fmt: skip
        return ImageLearner(evaluator, task.images, backbone)
    transform = TRANSFORMS.make(task.spec.transform)
    needed = np.zeros(len(task.images), dtype=np.bool_)
    for block in task.blocks(ranges):
        needed[block.support] = needed[block.query] = True
    seen = _rows_of(task, task.split.classes("seen", task.images)) if transform.needs_seen else np.empty(0, np.int64)
    needed[seen] = True
    table = bench.features(task, backbone, np.flatnonzero(needed))
    cost.seconds_embedding, cost.n_embedded = table.seconds, table.n_embedded
    mapped = transform.fit(table.gather(seen) if transform.needs_seen else None)
    return FeatureLearner(evaluator, lambda rows: mapped(table.gather(rows)), backbone.dim)


def _rows_of(task: Task, classes: Ints) -> NDArray[np.int64]:
    return np.flatnonzero(np.isin(task.images.labels, classes))


def _row(task: Task, backbone: Backbone, parts: PredictionParts, cost: _Cost) -> Row:
    """The row of stored predictions."""
    from fewshot.evaluators import TransductiveEvaluator

    stored = [(episode_accuracy(p), int((~p.converged).sum())) for p in parts.read(task.n_episodes)]
    interval = episode_interval(np.concatenate([accuracy for accuracy, _ in stored]))
    return replace(
        _spec_columns(task.spec, task.run_id),
        n_episodes=task.n_episodes, n_classes=len(task.classes),
        accuracy=interval.mean, accuracy_low=interval.low, accuracy_high=interval.high, population=interval.population,
        n_not_converged=sum(n for _, n in stored),
        transductive=isinstance(EVALUATORS.make(task.spec.evaluator), TransductiveEvaluator),
        seen_classes="not seen" if backbone.pretrained_on == "nothing" else "unknown", pretrained_on=backbone.pretrained_on,
        seconds_embedding=round(cost.seconds_embedding, 3), seconds_solving=round(cost.seconds_solving, 3),
        n_embedded=cost.n_embedded, n_params=backbone.n_params, dim=backbone.dim,
        images_digest=task.images.images_digest, classes_digest=task.images.classes_digest,
        split_digest=task.split.digest, weights_digest=backbone.weights_digest,
        episodes_digest=episodes_digest(p.episodes for p in parts.read(task.n_episodes)),
        preprocess_digest=backbone.preprocess_digest, **provenance.columns(),
    )  # fmt: skip


def _spec_columns(spec: RunSpec, run_id: str) -> Row:
    """A row that holds the spec and nothing else."""
    sampled = spec.episodes if isinstance(spec.episodes, Sampled) else None
    shape = EpisodeShape(None, None, None) if sampled is None else sampled.shape
    return Row(
        run_id=run_id, protocol=spec.protocol, dataset=spec.dataset, split=spec.split or "", classes=spec.classes,
        backbone=spec.backbone, transform=spec.transform, evaluator=spec.evaluator, dtype=spec.dtype,
        sampler=f"Listed({str(spec.episodes.path)!r})" if isinstance(spec.episodes, Listed) else spec.episodes.sampler,
        seed=0 if sampled is None else sampled.seed, n_way=shape.n_way, k_shot=shape.k_shot, n_query=shape.n_query,
        k_shot_at_most=shape.k_shot_at_most,
    )  # fmt: skip


def run_all(specs: Iterable[RunSpec], results: Results, workbench: Workbench | None = None,
            shard: tuple[int, int] = (1, 1)) -> Iterator[tuple[RunSpec, Row | None]]:  # fmt: skip
    """Runs a suite, spec by spec. A run that fails leaves a row with its error, and the next one goes on."""
    bench = workbench or Workbench()
    for spec in specs:
        try:
            yield spec, run(spec, results, bench, shard)
        except Exception as error:
            row = _failed(spec, bench, error)
            _log.debug("%s failed", spec, exc_info=error)
            results.append(row)
            yield spec, row


def _failed(spec: RunSpec, bench: Workbench, error: Exception) -> Row:
    try:
        run_id = bench.task(spec).run_id
    except Exception:  # the data side itself failed: named by what was asked
        run_id = hashlib.sha256(repr(spec).encode()).hexdigest()[:16]
    text = " ".join(str(error).split()) or type(error).__name__
    known = isinstance(error, ValueError | OSError)
    message = text if known else f"{type(error).__name__}: {text}"
    return replace(_spec_columns(spec, run_id), status="failed", error=message, **provenance.columns())
