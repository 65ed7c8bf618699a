"""The predictions of a run on disk, in parts: an interrupted run keeps its finished parts and continues after them.

A part is bound to its run: it holds the run's id, and a checksum over that id and its content.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.files.atomic import read_metadata
from fewshot.results.predictions import Predictions

RUN_ID = "run_id"  # in the metadata of a part; absent in older ones
_log = logging.getLogger("fewshot")
_Range = tuple[int, int]


@dataclass(frozen=True)
class PartCosts:
    """What the parts of a run took, as their metadata say."""

    abouts: tuple[Mapping[str, Any], ...]

    def cost(self, name: str) -> float:
        """The sum of a cost over all parts, such as "seconds_solving"."""
        return round(sum(float(about.get(name, 0)) for about in self.abouts), 3)

    def known_cost(self, name: str, of: Callable[[list[float]], float]) -> float | None:
        """The sum, or another function, of a cost in the parts that have it; None if none has."""
        values = [float(about[name]) for about in self.abouts if name in about]
        return of(values) if values else None

    def known_texts(self, name: str) -> list[str]:
        """The different texts of this name in the parts, such as "processor", sorted."""
        return sorted({str(about[name]) for about in self.abouts if about.get(name)})


class Incomplete(ValueError):
    """Some episodes of a run have no stored predictions."""


@dataclass(frozen=True)
class PredictionParts:
    """Predictions of a run in parts [start, stop) of its episodes."""

    folder: Path

    def missing(self, start: int, stop: int, provenance: Mapping[str, str]) -> list[_Range]:
        """The ranges of episodes in [start, stop) that are not stored. Removes parts that are damaged or that belong to
        another run, other weights or other images, with a warning: their episodes run again."""
        self._set_strays_aside()
        gaps, reached = [], start
        for path, (first, last) in self._ranges.items():
            problem = self._problem(path, (first, last), provenance)
            if problem:
                _log.warning("%s; its episodes run again", problem)
                path.unlink(missing_ok=True)  # another process may have been faster
            elif last > reached:
                gaps.append((reached, min(first, stop)))
                reached = last
        return [(low, high) for low, high in [*gaps, (reached, stop)] if low < high]

    def write(self, predictions: Predictions, provenance: Mapping[str, str]) -> None:
        """Stores a part, whole or not at all."""
        start = int(predictions.episodes.index[0])
        path = self.folder / f"{start:09d}-{start + len(predictions):09d}.safetensors"
        predictions.save(path, {**provenance, RUN_ID: self._run_id})

    def read(self, n_episodes: int, provenance: Mapping[str, str] | None = None) -> Iterator[Predictions]:
        """The first `n_episodes` episodes, part by part. A ValueError if a part is damaged, belongs to another run or
        names other provenance; `Incomplete` if some episodes are missing. Parts of later episodes are neither read nor
        checked: an interrupted run of more episodes leaves them, and `missing` checks them before they count."""
        ranges = {path: _range_of(path) for path in self._files}  # the folder is listed once
        if (stray := next((path for path, found in ranges.items() if found is None), None)) is not None:
            raise ValueError(
                f"{stray} is not a part of predictions: parts are called START-STOP.safetensors; remove it"
            )
        reached = 0
        for path, (start, stop) in ((path, found) for path, found in ranges.items() if found is not None):
            if start > reached:
                break
            if stop > reached and reached < n_episodes:
                kept = slice(reached - start, n_episodes - start)
                yield self._part(path, (start, stop), provenance or {}, old=True)[
                    kept
                ]  # no name: the next part takes its memory
                reached = stop
        if reached < n_episodes:
            raise Incomplete(self._incomplete(reached, n_episodes))

    def files(self) -> list[Path]:
        """The stored parts, in order: regular files whose names give a range of episodes."""
        return list(self._ranges)

    def remove(self) -> None:
        """Removes all parts; their episodes run again."""
        for path in self._ranges:
            path.unlink(missing_ok=True)

    def costs(self) -> PartCosts:
        """What the parts took, by the metadata of each, read once."""
        return PartCosts(tuple(read_metadata(path, "predictions") for path in self._ranges))

    @cached_property
    def _run_id(self) -> str:
        return self.folder.name

    def _part(self, path: Path, of: _Range, provenance: Mapping[str, str], old: bool) -> Predictions:
        """The predictions of a part; a ValueError unless it holds this range of this run. An `old` part may lack some
        provenance."""
        predictions, about = Predictions.load(path)
        if about.get(RUN_ID, self._run_id) != self._run_id:
            raise ValueError(f"{path} belongs to the run {about[RUN_ID]}, not to the run {self._run_id}")
        if not np.array_equal(predictions.episodes.index, np.arange(*of)):
            raise ValueError(f"{path} does not hold the episodes {of[0]} to {of[1] - 1} that its name says")
        wrong = [key for key, value in provenance.items() if about.get(key, value if old else None) != value]
        if wrong:
            raise ValueError(f"{path} was made with another {' and '.join(wrong)}")
        return predictions

    def _problem(self, path: Path, of: _Range, provenance: Mapping[str, str]) -> str:
        try:
            self._part(path, of, provenance, old=False)
        except ValueError as error:
            return str(error)
        return ""

    def _incomplete(self, reached: int, n_episodes: int) -> str:
        copy, again = f"copy the folder {self.folder.parent} of the machine that ran it", "run the same command again"
        if not self._ranges:
            delete = f"delete its row with `fewshot results delete FILE --run {self._run_id}` and {again}"
            return f"there are no predictions of the run {self._run_id} in {self.folder}; {copy}, or {delete}"
        return (
            f"{self.folder} holds predictions up to episode {reached}, but {n_episodes} are needed; {copy}, or {again}"
        )

    def _set_strays_aside(self) -> None:
        for path in self._strays:
            _log.warning("%s is not a part of predictions; it is renamed to %s.ignored", path, path.name)
            path.rename(path.with_name(f"{path.name}.ignored"))

    @property
    def _ranges(self) -> dict[Path, _Range]:
        """The range of every part, in order."""
        return {path: found for path in self._files if (found := _range_of(path)) is not None}

    @property
    def _strays(self) -> list[Path]:
        """Files that look like parts, but have another name."""
        return [path for path in self._files if _range_of(path) is None]

    @property
    def _files(self) -> list[Path]:
        """Regular files alone: opening a pipe or a device would wait without end."""
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".safetensors") and entry.is_file()]
        except OSError:  # no folder, or none to read: no parts
            return []
        return [self.folder / name for name in sorted(names)]


def _range_of(path: Path) -> _Range | None:
    match = re.fullmatch(r"(\d{9,18})-(\d{9,18})\.safetensors", path.name, re.ASCII)
    return (int(match[1]), int(match[2])) if match else None
