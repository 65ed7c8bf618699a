"""The arrays of episodes: flat, class-major, with where each episode begins; nothing here reads images.

E episodes, N ways, S support rows, M query rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.flat import Ints, Rows, starts_of, take_runs
from fewshot.episodes.shape import EpisodeShape

FORMAT = "fewshot-episodes-1"  # names the arrays and their dtypes in files and digests
ARRAY_TYPES = {
    "index": "<i8",
    "n_way": "<i4",
    "classes": "<i4",
    "support_count": "<i4",
    "query_count": "<i4",
    "support": "<i4",
    "query": "<i4",
}


@dataclass(frozen=True, eq=False, repr=False)
class EpisodeArrays:
    """E episodes as rows of one data set. Ways, support and query are flat arrays, one episode after the other. Inside
    an episode rows are class-major, so labels follow from the counts: way w has `support_count[w]` adjacent rows.
    """

    index: Ints  # [E] each episode keeps its index, in shards and slices too
    n_way: Rows  # [E]
    classes: Rows  # [sum of n_way] label of each way in the data set
    support_count: Rows  # [sum of n_way]
    query_count: Rows  # [sum of n_way]
    support: Rows  # [sum of support_count] rows of the data set
    query: Rows  # [sum of query_count]
    images_digest: str
    seed: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, part: int | slice) -> Self:
        """Some episodes, or the episode at one place, as episodes."""
        if isinstance(part, int | np.integer):
            place = range(len(self))[part]
            part = slice(place, place + 1)
        if not isinstance(part, slice):
            raise TypeError(f"episodes have numbers and slices, such as episodes[0] and episodes[:100]; got {part!r}")
        first, stop, step = part.indices(len(self))
        if step != 1:
            raise ValueError(f"episodes are sliced in steps of 1, got {step}")
        runs = {name: slice(start[first], start[max(first, stop)]) for name, start in self._starts().items()}
        flat: dict[str, Any] = {name: getattr(self, name)[run] for name, run in runs.items()}
        return replace(self, index=self.index[part], n_way=self.n_way[part], **flat)

    def take(self, order: Ints) -> Self:
        """These episodes in another order (or some of them), by position."""
        starts = self._starts()
        flat: dict[str, Any] = {name: take_runs(getattr(self, name), start, order) for name, start in starts.items()}
        return replace(self, index=self.index[order], n_way=self.n_way[order], **flat)

    def _starts(self) -> dict[str, Ints]:
        """Where each episode begins in the flat arrays, by their names."""
        ways = dict.fromkeys(("classes", "support_count", "query_count"), self.way_start)
        return {**ways, "support": self.support_start, "query": self.query_start}

    @cached_property
    def way_start(self) -> Ints:
        """[E + 1] where each episode's ways begin in `classes` and the counts."""
        return starts_of(self.n_way)

    @cached_property
    def support_start(self) -> Ints:
        """[E + 1] where each episode's rows begin in `support`."""
        return starts_of(self.support_count)[self.way_start]

    @cached_property
    def query_start(self) -> Ints:
        """[E + 1] where each episode's rows begin in `query`."""
        return starts_of(self.query_count)[self.way_start]

    @cached_property
    def support_labels(self) -> Rows:
        """Way of each support row, flat, in [0, N)."""
        return np.repeat(self._ways, self.support_count)

    @cached_property
    def query_labels(self) -> Rows:
        """Way of each query row, flat, in [0, N)."""
        return np.repeat(self._ways, self.query_count)

    @property
    def _ways(self) -> Rows:
        return (np.arange(len(self.classes)) - np.repeat(self.way_start[:-1], self.n_way)).astype(np.int32)

    @property
    def shape(self) -> EpisodeShape | None:
        """The shape that all classes of all episodes have; None if they differ."""
        held = [np.unique(counts).tolist() for counts in (self.n_way, self.support_count, self.query_count)]
        return EpisodeShape(*(one for (one,) in held)) if all(len(one) == 1 for one in held) and held[2][0] else None

    def padded(self, which: str) -> tuple[Rows, Rows, NDArray[np.bool_]]:
        """Rows, labels and mask [E, widest] of the "support" or "query"; padding repeats the first row of the episode,
        with label 0 and a False mask."""
        rows, labels, start = getattr(self, which), getattr(self, f"{which}_labels"), getattr(self, f"{which}_start")
        counts = np.diff(start)
        if len(counts) and counts.min() == counts.max():
            shape = len(counts), int(counts[0])
            return rows.reshape(shape).copy(), labels.reshape(shape).copy(), np.ones(shape, np.bool_)
        mask = np.arange(counts.max(initial=0)) < counts[:, None]
        full_rows, full_labels = np.zeros(mask.shape, np.int32), np.zeros(mask.shape, np.int32)
        full_rows[mask], full_labels[mask] = rows, labels
        return np.where(mask, full_rows, full_rows[:, :1]), full_labels, mask

    def rows_by_way(self) -> list[tuple[int, list[int], list[int]]]:
        """The label of each way, the rows of its support, and those of its queries."""
        support, query = (
            np.split(rows, np.cumsum(counts)[:-1])
            for rows, counts in ((self.support, self.support_count), (self.query, self.query_count))
        )
        ways = zip(self.classes.tolist(), support, query, strict=True)
        return [(label, own.tolist(), others.tolist()) for label, own, others in ways]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, as files and digests hold them."""
        return {name: np.ascontiguousarray(getattr(self, name), dtype) for name, dtype in ARRAY_TYPES.items()}
