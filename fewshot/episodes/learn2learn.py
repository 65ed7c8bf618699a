"""Episodes as tasks of learn2learn (Arnold et al. 2020, arXiv 2008.12284), and back.

Only these two functions need learn2learn; `.ci/install_learn2learn` installs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.labelled import Labelled
from fewshot.plugins.wording import counted


class Pairs(Protocol):
    """A torch data set for learn2learn: `pairs[row]` is the data of a row of the images, then its label."""

    def __getitem__(self, row: int, /) -> Sequence[Any]: ...


def to_taskset(episodes: Episodes, pairs: Pairs) -> Any:
    """A `learn2learn.data.Taskset` whose task i is episode i: first the support, then the queries, both in the order of
    the ways. Its labels are the ways, 0 to N - 1, not those of `pairs`.

    `taskset[i]`, iteration and `taskset.sample()` work as usual; episode i has `np.diff(episodes.support_start)[i]`
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
    """The tasks of a taskset, as episodes of the images whose rows it indexes; the taskset must have a fixed number.

    learn2learn does not mark support and queries: the first `k_shot` images of each class in a task become its
    support. None keeps the division of `to_taskset`. learn2learn draws missing tasks now, by its own generator. Labels
    are those of the images. A task that cannot be an episode raises a ValueError.
    """
    if taskset.num_tasks < 1:
        raise ValueError("this taskset samples new tasks every time; create it with num_tasks=..., the number to keep")
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
    """The transform of one row of a task: it loads the data and replaces the label by the way."""

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
            raise ValueError(f"a task has the row {row}, but {images.name} has {counted(len(images), 'image')}")
        label = int(images.labels[row])
        held[label] = held.get(label, 0) + 1
        parts[held[label] > k_shot if k_shot is not None else _is_query(item)].append(row)
    return parts


def _is_query(item: Any) -> bool:
    for transform in item.transforms:
        if isinstance(transform, _Load):
            return transform.is_query
    raise ValueError("learn2learn does not mark the support rows of a task; give k_shot")
