"""Episodes as CSV for other programs, and back: one line per image of a task.

task,class,image,set,seed,pool
0,gull,gull/003.jpg,support,0,0
0,gull,gull/011.jpg,query,0,0
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.labelled import Labelled
from fewshot.episodes.lists import EpisodeList
from fewshot.files.csv_files import CsvFile, csv_text
from fewshot.files.quoting import quoted, shortened

COLUMNS = ("task", "class", "image", "set")
_FURTHER = ("seed", "pool")  # the seed that evaluators draw from, and the disjoint image pool of the task
_SETS = ("support", "query")


def to_csv(listed: EpisodeList, images: Labelled) -> str:
    """The text of a table: for every task its support, then its queries. Images have their names if the data set has
    names (paths below its root), so a table survives another order of rows; otherwise they have their row."""
    listed.check(images)
    header = (*COLUMNS, "seed", *(["pool"] if listed.pools is not None else []))
    return csv_text([header, *_rows(listed, images)])


def _rows(listed: EpisodeList, images: Labelled) -> Iterator[list[Any]]:
    """The fields of every image of every task."""
    episodes = listed.episodes
    for e, task in enumerate(episodes.index.tolist()):
        further = [episodes.seed] + ([] if listed.pools is None else [int(listed.pools[e])])
        for which, rows, start in (
            ("support", episodes.support, episodes.support_start),
            ("query", episodes.query, episodes.query_start),
        ):
            for row in rows[start[e] : start[e + 1]].tolist():
                name = row if images.image_names is None else images.image_names[row]
                yield [task, images.class_names[images.labels[row]], name, which, *further]


def from_csv(path: Path, images: Labelled, protocol: str = "") -> EpisodeList:
    """The list of a table; reading what `to_csv` wrote gives the same digest.

    Tasks are in order of first appearance. They keep their numbers if all are numbers; otherwise they get the numbers
    0, 1, 2, ... The ways of a task are the classes of its support in order of appearance. Without a column seed the
    seed is 0. An impossible line raises a ValueError that names it.
    """
    file = CsvFile.read(path, "table of episodes", COLUMNS, _FURTHER)
    table = _Table(file, images)
    tasks = list(dict.fromkeys(file.columns["task"]))
    members: dict[str, tuple[list[int], list[int]]] = {task: ([], []) for task in tasks}
    rows = table.rows()
    for line, (task, which) in enumerate(zip(file.columns["task"], file.columns["set"], strict=True)):
        members[task][_SETS.index(which)].append(rows[line])
    try:
        episodes = Episodes.from_rows(images, *zip(*members.values(), strict=True))
    except ValueError as error:
        raise ValueError(f"{path}: {error} (episode i is task i of the file, counted from 0)") from error
    episodes = replace(episodes, index=table.numbers(tasks), seed=table.seed())
    return EpisodeList.of(episodes, images, protocol, f"read from {path.name}", table.pools(tasks))


@dataclass(frozen=True, eq=False)
class _Table:
    """The lines of a table, and the images they name."""

    file: CsvFile
    images: Labelled

    def rows(self) -> list[int]:
        """The row of the data set that each line names, after checks of its class and its set."""
        names = range(len(self.images)) if self.images.image_names is None else self.images.image_names
        place = {str(name): row for row, name in enumerate(names)}
        columns = self.file.columns
        rows = [place.get(name, -1) for name in columns["image"]]
        known = [self.images.class_names[label] for label in self.images.labels.tolist()]
        lines = zip(rows, columns["class"], columns["set"], columns["task"], strict=True)
        for line, (row, label, which, task) in enumerate(lines):
            if row < 0 or label != known[row] or which not in _SETS or not task:
                raise self._error(line, None if row < 0 else known[row])
        return rows

    def numbers(self, tasks: Sequence[str]) -> Ints:
        """[E] the index of every task."""
        if all(task.isascii() and task.isdigit() and len(task) < 10 for task in tasks):
            return np.array([int(task) for task in tasks], dtype=np.int64)
        return np.arange(len(tasks))

    def seed(self) -> int:
        """The seed that evaluators draw from, the same in every line."""
        values = self.file.columns.get("seed", ["0"])
        for line, value in enumerate(values):
            if value != values[0] or not (value.isascii() and value.isdigit() and int(value) < 1 << 64):
                raise self.file.error(
                    line, f"seed must be one integer in [0, 2^64) for all lines, found {value[:20]!r}"
                )
        return int(values[0])

    def pools(self, tasks: Sequence[str]) -> Ints | None:
        """[E] the pool of every task; None without a column of pools."""
        if "pool" not in self.file.columns:
            return None
        pools: dict[str, str] = {}
        for line, (task, pool) in enumerate(zip(self.file.columns["task"], self.file.columns["pool"], strict=True)):
            if pools.setdefault(task, pool) != pool or not (pool.isascii() and pool.isdigit() and len(pool) < 10):
                raise self.file.error(
                    line, f"pool must be one integer from 0 for all of task {quoted(task)}, found {quoted(pool)}"
                )
        return np.array([int(pools[task]) for task in tasks], dtype=np.int64)

    def _error(self, line: int, known: str | None) -> ValueError:
        """The error of a line; `known` is the class of its image, or None for an unknown image."""
        name, label, which = (self.file.columns[column][line] for column in ("image", "class", "set"))
        if known is None:
            names = self.images.image_names
            known_as = f"a row in [0, {len(self.images)})" if names is None else f"a name such as {quoted(names[0])}"
            return self.file.error(line, f"{self.images.name} has no image {quoted(name)}; write {known_as}")
        if label != known:
            return self.file.error(
                line, f"image {shortened(name)} has class {quoted(known)} in {self.images.name}, found {quoted(label)}"
            )
        if which not in _SETS:
            return self.file.error(line, f"set must be support or query, found {quoted(which)}")
        return self.file.error(line, "a line needs a task, found an empty field")
