"""What comparisons need of a run's stored predictions: the accuracy of every episode, and the classes and images that
episodes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.digest import episodes_digest
from fewshot.episodes.episodes import Episodes
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.interval import Floats, Ints
from fewshot.statistics.units import Units

Grouping = tuple[str, NDArray[np.int64]]  # name of the groups, and the group of every class


@dataclass(frozen=True, eq=False)
class Solved:
    """The part of a run's predictions that comparisons need."""

    accuracy: Floats  # [E]
    classes: NDArray[np.int64]  # flat labels
    n_way: NDArray[np.int64]  # [E]
    index: NDArray[np.int64]  # [E] the numbers of the episodes
    n_queries: int
    digest: str  # of the first episodes, those that all runs have

    @staticmethod
    def read(parts: Iterator[Predictions], common: int) -> Solved:
        """Reads predictions part by part. `common`: episodes that all runs have."""
        accuracies, classes, n_way, index, n_queries = [], [], [], [], 0

        def common_episodes() -> Iterator[Episodes]:
            nonlocal n_queries
            left = common
            for part in parts:
                accuracies.append(episode_accuracy(part))
                classes.append(part.episodes.classes)
                n_way.append(part.episodes.n_way)
                index.append(part.episodes.index)
                n_queries += len(part.predicted)
                if left > 0:
                    yield part.episodes[:left]
                left -= len(part)

        digest = episodes_digest(common_episodes())
        labels, ways, numbers = (np.concatenate(flat).astype(np.int64) for flat in (classes, n_way, index))
        return Solved(np.concatenate(accuracies), labels, ways, numbers, n_queries, digest)


def class_units(solved: Solved, n_classes: int) -> Units:
    """The classes of the episodes, numbered from 0. The data set may have more of them."""
    sampled, codes = np.unique(solved.classes, return_inverse=True)
    return Units(codes.astype(np.int64), solved.n_way, max(n_classes, len(sampled)))


def pools_of(rows: Sequence[Row], solved: Solved) -> Ints | None:
    """[E] the disjoint pool of all images of each episode; None if the rows have no interval for new images."""
    of = specs_of(rows[0])
    if of.from_file or any(row.new_images_low is None for row in rows):
        return None
    try:
        return np.asarray(of.sampler.make().pools_of(solved.index), dtype=np.int64)
    except Exception:  # the sampler of a stranger may be missing or fail in any way
        return None


def group_units(solved: Solved, grouping: Grouping) -> Units:
    """The groups of the classes of the episodes, numbered from 0."""
    name, codes = grouping
    sampled = np.unique(codes[solved.classes])
    numbered = np.searchsorted(sampled, codes)  # arbitrary for groups without an episode, which nobody reads
    return Units(solved.classes, solved.n_way, len(codes)).grouped(numbered, len(sampled), name)
