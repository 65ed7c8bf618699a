"""Learners: an evaluator with the data that it learns from, feature vectors or images.

A learner gathers the items of an episode by row, fits the evaluator and answers the queries. `solving.py` runs both
kinds in one loop.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.backbones import Backbone
from fewshot.backbones._counts import activation_bytes
from fewshot.backbones._stillness import unchanged
from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import EpisodeBatch, Episodes, Rows
from fewshot.evaluators import FeatureEvaluator, Head, ImageEvaluator, TransductiveEvaluator
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.features.degenerate import warn_of_degenerate
from fewshot.runs.guards import check_alone, check_memory
from fewshot.runs.heads_device import BUDGET_BYTES, ON_CPU, HeadsDevice, heads_device
from fewshot.runs.needs import Needs
from fewshot.runs.shapes import check_head, check_logits, check_per_episode, checked
from fewshot.runs.side_by_side import fits_one_thread, lanes
from fewshot.transforms import Transform

if TYPE_CHECKING:
    from fewshot.evaluators.tuning.table import FrozenTable
    from fewshot.features.table import FeatureTable

_HELD_BYTES = 512 << 20  # up to this size, features are transformed once and held; beyond, at every use
_MAPPED_ROWS = 1024  # rows transformed at once
_ROW_BYTES = 64  # for the number, label, mask and summary of a row
_log = logging.getLogger("fewshot")
Gather = Callable[[Rows], Tensor]  # rows [...] -> vectors [..., D]


class Answers(NamedTuple):
    """The answers of a batch of B episodes."""

    converged: Tensor | None  # [B] bool, as the head reports it
    setting: Tensor | None  # [B] the place in its grid of what an episode chose on its support
    logits: Iterator[Tensor]  # [B, m, N] of the queries, chunk by chunk


class Learner(ABC):
    """An evaluator with the data that it learns from."""

    evaluator: FeatureEvaluator | ImageEvaluator | TransductiveEvaluator
    class_features: Tensor | None = None  # [C, D] vectors of the class names, if there are any

    @abstractmethod
    def items(self, rows: Rows) -> Any:
        """The features or images of `rows` [B, S], as the evaluator gets them."""

    @abstractmethod
    def answer(
        self, batch: EpisodeBatch[Rows], query_rows: Rows, query_mask: NDArray[np.bool_], chunk: int, probe: bool
    ) -> Answers:
        """The answers to the queries, m <= chunk of each episode at a time.

        Rows name the support and the queries. With `probe`, an inductive head also answers one query alone, to check
        that it ignores the others.
        """

    @abstractmethod
    def batch_and_chunk(self, n_support: int, n_query: int, n_way: int, budget_bytes: int) -> tuple[int, int]:
        """The number of episodes to solve at once, and of queries per episode to answer at once."""

    def watched(self) -> AbstractContextManager[None]:
        """A context that raises an error if solving changes a network; it checks nothing if there is no network."""
        return nullcontext()

    def on_one_thread(self, n_support: int) -> bool:
        """Whether an episode of this size is solved on one thread, beside others; only if a batch is one episode."""
        return False

    def lanes(self, episodes: Episodes) -> int:
        """How many of these episodes are solved at once, each on one thread; 1 unless all are that small."""
        return 1

    def _gathered(self, batch: EpisodeBatch[Rows]) -> EpisodeBatch[Any]:
        """The batch with the features or images of its support."""
        return batch.seen_as(self.items(batch.support))


def _ask(
    learner: Learner,
    head: Head[Any],
    items: Callable[[Rows], Any],
    query_rows: Rows,
    n_way: int,
    chunk: int,
    probe: bool,
) -> Answers:
    """The answers of a head, with queries gathered chunk by chunk."""
    evaluator, n_episodes = learner.evaluator, len(query_rows)
    check_head(head, evaluator)

    def answers() -> Iterator[Tensor]:
        for start in range(0, query_rows.shape[1], chunk):
            rows = query_rows[:, start : start + chunk]
            logits = check_logits(head(items(rows)), (*rows.shape, n_way), evaluator)
            if probe and start == 0:
                check_alone(head, items(query_rows[:, :1]), logits, repr(evaluator))
            yield logits.cpu()

    converged = check_per_episode(head.converged, n_episodes, "converged", evaluator)
    setting = check_per_episode(head.setting, n_episodes, "setting", evaluator)
    return Answers(
        None if converged is None else converged.cpu(), None if setting is None else setting.cpu(), answers()
    )


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
            return _ask(self, head, self.gather.places, query_rows, batch.n_way, chunk, probe)
        fitted = self.evaluator.fit(self._gathered(batch).on(device))
        return _ask(self, fitted, lambda rows: self.items(rows).to(device), query_rows, batch.n_way, chunk, probe)

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
        return _ask(self, head, self.items, query_rows, batch.n_way, chunk, probe)

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


def learner(
    needs: Needs,
    backbone: Backbone,
    embed: Callable[[LabelledImages, NDArray[np.int64]], FeatureTable],
    progress: bool = False,
    named: Callable[[LabelledImages], NDArray[np.float32]] | None = None,
    heads_on: str | None = None,
) -> Learner:
    """The learner of some episodes: an evaluator with transformed features, which `embed` gives, or with the images.

    Evaluators of features also get vectors of the class names as `class_features`: those of the data set, if it has
    any, or those that `named` makes by the text tower of the backbone. `heads_on` is the device to solve them on; None:
    the CPU, or the network's GPU for large episodes.
    """
    if needs.tunes_a_network:
        frozen = needs.evaluator.precompute(needs.images, backbone, needs.rows, progress)
        return ImageLearner(needs.evaluator, needs.images, backbone, frozen)
    table, *of_views = [embed(each.images, each.rows) for each in needs.embeddings()]
    fitted = needs.transform.fit(table.gather(needs.seen) if needs.transform.needs_seen else None)
    mapped = checked(fitted, needs.transform)
    dim = table.vectors.dim
    held = (len(needs.rows) + len(of_views) * len(needs.support)) * dim * 4 <= _HELD_BYTES
    gather = _gather(table, needs.rows, mapped, held)
    if isinstance(gather, Held):
        warn_of_degenerate(gather.vectors, needs.images.name, backbone.name)
    gather_views = tuple(_gather(view, needs.support, mapped, held) for view in of_views)
    images = needs.images if named is None else replace(needs.images, class_vectors=named(needs.images))
    heads = heads_device(needs.evaluator, backbone.device, heads_on)
    return FeatureLearner(needs.evaluator, gather, dim, class_features(images, dim, mapped), gather_views, heads)


def _gather(table: FeatureTable, rows: NDArray[np.int64], mapped: Transform, held: bool) -> Gather:
    """A function that gives the transformed features of these rows, `held` in memory or transformed at every use."""
    if not held:
        return lambda wanted: mapped(table.gather(wanted))
    place = torch.zeros(len(table.done), dtype=torch.int64)
    place[torch.from_numpy(rows)] = torch.arange(len(rows))
    return Held(_mapped(table, rows, mapped), place)


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


def _mapped(table: FeatureTable, rows: NDArray[np.int64], mapped: Transform) -> Tensor:
    """[len(rows), D] transformed features of a table, computed part by part, because transforms work in float64."""
    held = torch.empty(len(rows), table.vectors.dim)
    for start in range(0, len(rows), _MAPPED_ROWS):
        held[start : start + _MAPPED_ROWS] = mapped(table.gather(rows[start : start + _MAPPED_ROWS]))
    return held


def class_features(images: LabelledImages, dim: int, mapped: Transform) -> Tensor | None:
    """[C, D] float32 vectors of the class names, under the same transform as the features, so both are in one space.

    None if there are none, or, with a warning, if their length differs from that of the features.
    """
    if images.class_vectors is None:
        return None
    if images.class_vectors.shape[1] != dim:
        _log.warning(
            "class vectors of %s have %d numbers, but its features have %d; evaluators do not get the class vectors",
            images.name,
            images.class_vectors.shape[1],
            dim,
        )
        return None
    return mapped(torch.from_numpy(images.class_vectors.astype(np.float32)))
