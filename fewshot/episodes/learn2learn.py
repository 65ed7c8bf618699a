"""Episodes as tasks of learn2learn (Arnold et al. 2020, arXiv 2008.12284), and back. Needs learn2learn only when it is
used: `.ci/install_learn2learn` installs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.labelled import Labelled


class Pairs(Protocol):
    """A torch data set such as learn2learn takes: `pairs[row]` is the data of a row of the images, then its label."""

    def __getitem__(self, row: int, /) -> Sequence[Any]: ...


def to_taskset(episodes: Episodes, pairs: Pairs) -> Any:
    """A `learn2learn.data.Taskset` whose task i is episode i, the support first and then the queries, both in the order
    of the ways; its labels are the ways, 0 to N - 1, in place of those of `pairs`.

    `taskset[i]`, iterating and `taskset.sample()` work as always; episode i has `np.diff(episodes.support_start)[i]`
    support rows.
    """
    from learn2learn.data import DataDescription, Taskset

    taskset = Taskset(pairs, [], num_tasks=len(episodes))
    parts = (
        (episodes.support, episodes.support_labels, episodes.support_start, False),
        (episodes.query, episodes.query_labels, episodes.query_start, True),
    )
    for e in range(len(episodes)):
        description = []
        for rows, ways, start, is_query in parts:
            part = slice(start[e], start[e + 1])
            for row, way in zip(rows[part].tolist(), ways[part].tolist(), strict=True):
                description.append(DataDescription(row))
                description[-1].transforms.append(_Load(pairs, way, is_query))
        taskset.sampled_descriptions[e] = description
    return taskset


def from_taskset(taskset: Any, images: Labelled, k_shot: int | None = None, seed: int = 0) -> Episodes:
    """The tasks of a taskset with a fixed number of them, as episodes of the images whose rows it indexes.

    learn2learn does not say what is support and what is query: the first `k_shot` of every class in the order of the
    task are its support. None: as `to_taskset` put them. Tasks that learn2learn has not drawn yet are drawn now, by its
    own generator; labels are those of the images, and a task that cannot be an episode is a ValueError.
    """
    if taskset.num_tasks < 1:
        raise ValueError("this taskset draws another task every time; make it with num_tasks=..., the number to keep")
    support, query = [], []
    for task in range(taskset.num_tasks):
        if task not in taskset.sampled_descriptions:
            taskset.sampled_descriptions[task] = taskset.sample_task_description()
        parts = _divided(taskset.sampled_descriptions[task], images, k_shot)
        support.append(parts[0])
        query.append(parts[1])
    episodes = Episodes.from_rows(images, support, query)
    return replace(episodes, seed=seed)


@dataclass(frozen=True)
class _Load:
    """What learn2learn does with a row of a task: load its data, and put its way in place of its label."""

    pairs: Pairs
    way: int
    is_query: bool

    def __call__(self, row: int) -> tuple[Any, int]:
        return self.pairs[row][0], self.way


def _divided(description: Sequence[Any], images: Labelled, k_shot: int | None) -> tuple[list[int], list[int]]:
    """The support rows and the query rows of a task."""
    parts: tuple[list[int], list[int]] = [], []
    held: dict[int, int] = {}
    for item in description:
        row = int(item.index)
        if not 0 <= row < len(images):
            raise ValueError(f"a task has the row {row}, but {images.name} has {len(images)} images")
        label = int(images.labels[row])
        held[label] = held.get(label, 0) + 1
        parts[held[label] > k_shot if k_shot is not None else _is_query(item)].append(row)
    return parts


def _is_query(item: Any) -> bool:
    for transform in item.transforms:
        if isinstance(transform, _Load):
            return transform.is_query
    raise ValueError("learn2learn does not say which rows of a task are its support; give k_shot")
