"""Runs of several results files as one collection, and conditions that choose among them.

A run is one row and its stored predictions. Nothing here computes, changes or writes anything; results/copies.py does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fewshot.plugins.wording import agreeing, counted
from fewshot.results.conditions import Condition, as_number, conditions, missing_column
from fewshot.results.files import Results
from fewshot.results.parts import PredictionParts
from fewshot.results.reading import SAME, Disagreement, Unreadable
from fewshot.results.row import Row, known_columns
from fewshot.results.short_names import ShortNames

_MOST_VALUES = 6  # of a column in an error
_SAME_MEASURE = 1e-6  # between two values of a measure or a bound: machines solve for quantiles in another order
_OF_RUN = ("weights_digest", "preprocess_digest", "images_digest")
_OF_EPISODES = tuple(
    f"{of}_{end}" for of in ("accuracy", "new_images", "new_classes", "new_draws") for end in ("low", "high")
)


@dataclass(frozen=True)
class StoredRun:
    """A row, and the results file that holds it."""

    row: Row
    results: Results

    @property
    def key(self) -> Any:
        """The same for two rows of one run; failures have no run id of their own, so their spec stands for it."""
        return self.row.run_id if self.row.status == "ok" else self.row.spec

    @property
    def parts(self) -> PredictionParts:
        """Its stored predictions."""
        return self.results.parts(self.row.run_id)

    @property
    def has_predictions(self) -> bool:
        """Whether predictions of the run lie beside its row. A failure has none: those of its run id are a result's."""
        return self.row.status == "ok" and bool(self.parts.files())


@dataclass(frozen=True)
class Lost:
    """A line of a results file that is no row, whose run no other line has."""

    path: Path
    line: int  # from 1; 0 for several
    why: str
    run_id: str = ""  # that it names; "" if that cannot be read

    @property
    def place(self) -> str:
        """Such as "line 3 of runs.jsonl"."""
        return f"line {self.line} of {self.path.name}" if self.line else self.path.name

    @property
    def sentence(self) -> str:
        """The place with its run, and why it is no row."""
        run = f" (run {self.run_id[:8]})" if self.run_id else ""
        return f"{self.place}{run}: {self.why}"


@dataclass(frozen=True)
class Collection(Results):
    """Chosen runs of one or more results files, read like one results file. `path` is the first file. `every`: the rows
    of all their runs, so that what they know together, such as costs, depends on no choice."""

    runs: tuple[StoredRun, ...] = ()
    files: tuple[Results, ...] = ()
    every: tuple[Row, ...] = ()

    @staticmethod
    def of(files: Sequence[Results], where: str = "", prefer: str = "") -> Collection:
        """The runs that meet a condition, each once (`runs_of`); a ValueError if there are none."""
        runs = runs_of(files, prefer)
        every = tuple(run.row for run in runs)
        kept = tuple(run for run, met in zip(runs, meeting(where, every), strict=True) if met)
        return Collection(files[0].path, kept, tuple(files), every)

    @property
    def label(self) -> str:
        """The names of all files."""
        return ", ".join(str(file.path) for file in self.files)

    @property
    def paths(self) -> Sequence[Path]:
        """All files."""
        return tuple(file.path for file in self.files)

    def rows(self) -> list[Row]:
        """The rows of the runs, in order."""
        return [run.row for run in self.runs]

    def row(self, run_id: str) -> Row | None:
        """The row of a run that succeeded, or None."""
        run = self._by_id.get(run_id)
        return None if run is None else run.row

    def append(self, row: Row) -> None:
        """Refuses: a collection is for reading."""
        raise TypeError(f"{row.run_id}: a collection of runs is read-only; append to a results file")

    def parts(self, run_id: str) -> PredictionParts:
        """The stored predictions of a run, beside the row that was chosen."""
        run = self._by_id.get(run_id)
        return super().parts(run_id) if run is None else run.parts

    @property
    def n_unreadable(self) -> int:
        """The number of lines of all files that are not rows."""
        return sum(file.n_unreadable for file in self.files)

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The first lines of all files that are not rows."""
        return tuple(line for file in self.files for line in file.unreadable)

    @property
    def lost(self) -> Sequence[Lost]:
        """What could not be read and stands in no other line: a run id that has a row is not lost."""
        there = {row.run_id for row in self.every if row.status == "ok"}
        found: list[Lost] = []
        for file in self.files:
            lines = file.unreadable
            found += [Lost(file.path, line.line, line.why, line.run_id) for line in lines if line.run_id not in there]
            if more := file.n_unreadable - len(lines):
                found.append(
                    Lost(file.path, 0, f"{counted(more, 'further line')} that {agreeing(more, 'is', 'are')} no rows")
                )
        return found

    @property
    def disagreements(self) -> Sequence[Disagreement]:
        """Runs with two accuracies for the same episodes inside a file."""
        return tuple(one for file in self.files for one in file.disagreements)

    @property
    def short_names(self) -> ShortNames:
        """The short names of all files; of two names of one spec, that of the first file."""
        return ShortNames({spec: name for file in reversed(self.files) for spec, name in file.short_names.of.items()})

    @cached_property
    def _by_id(self) -> Mapping[str, StoredRun]:
        return {run.row.run_id: run for run in self.runs if run.row.status == "ok"}


def runs_of(files: Sequence[Results], prefer: str = "") -> list[StoredRun]:
    """Every run of these files once, in order of appearance.

    Of two rows of one run the one with more episodes stays; of equals, the one with predictions. Two rows with
    different numbers for the same episodes are a ValueError that names both files, unless `prefer` is "first" or
    "last". A failure stays unless another file has a result of the same run.
    """
    chosen: dict[Any, StoredRun] = {}
    for run in (StoredRun(row, results) for results in files for row in results.rows()):
        earlier = chosen.get(run.key)
        chosen[run.key] = run if earlier is None else _better(earlier, run, prefer)
    done: dict[Any, set[Path]] = {}
    for run in chosen.values():
        if run.row.status == "ok":
            done.setdefault(run.row.spec, set()).add(run.results.path)
    return [run for run in chosen.values() if run.row.status == "ok" or done.get(run.key, set()) <= {run.results.path}]


def _better(first: StoredRun, second: StoredRun, prefer: str) -> StoredRun:
    if first.row.status != "ok":
        return second
    conflict = _conflict(first.row, second.row)
    if conflict is not None:
        if not prefer:
            raise ValueError(_named(conflict, first, second))
        return first if prefer == "first" else second
    if first.row.n_episodes != second.row.n_episodes:
        return max(first, second, key=lambda run: run.row.n_episodes)
    return second if second.has_predictions and not first.has_predictions else first


def _conflict(a: Row, b: Row) -> tuple[str, str] | None:
    """What two rows of one run say, where they cannot both be true; None where they agree.

    Digests of weights, preprocessing and images are of the run, and every other number is of its episodes. A column
    that one row lacks, because an older release wrote it, is no conflict.
    """
    for name in _OF_RUN:
        one, other = getattr(a, name), getattr(b, name)
        if one and other and one != other:
            digest = name.replace("_", " ")
            return f"the {digest} {one[:12]}", f"the {digest} {other[:12]}"
    if a.n_episodes != b.n_episodes:
        return None
    if not _same(a.accuracy, b.accuracy, SAME) or a.episodes_digest != b.episodes_digest:
        same = a.episodes_digest == b.episodes_digest
        return _percent(a), f"{_percent(b)} on {'the same' if same else 'other'} episodes"
    numbers, others = _numbers(a), _numbers(b)
    for name in numbers.keys() & others.keys():
        if not _same(numbers[name], others[name], _SAME_MEASURE):
            return f"{name} {numbers[name]:.6g}", f"{name} {others[name]:.6g}"
    return None


def _same(a: float | None, b: float | None, tolerance: float) -> bool:
    """Whether two numbers are equal but for the order of a sum."""
    return a is b if a is None or b is None else abs(a - b) <= tolerance * max(1.0, abs(a))


def _numbers(row: Row) -> dict[str, float]:
    """The numbers that are computed from the predictions of a row, as far as it has them."""
    values = {name: getattr(row, name) for name in _OF_EPISODES} | dict(row.measures)
    return {name: value for name, value in values.items() if isinstance(value, float | int)}


def _percent(row: Row) -> str:
    return "no accuracy" if row.accuracy is None else f"{100 * row.accuracy:.3f} %"


def _named(conflict: tuple[str, str], first: StoredRun, second: StoredRun) -> str:
    return (
        f"run {first.row.run_id} has {conflict[0]} in {first.results.path} and {conflict[1]} in {second.results.path}; "
        "choose with --prefer first or --prefer last, or delete one with `fewshot results delete`"
    )


def meeting(where: str, rows: Sequence[Row]) -> list[bool]:
    """Which rows meet a condition such as "k_shot == 5, backbone ~ lite0"; all rows meet "". A ValueError if none does:
    it names the columns or the values that rows have."""
    parts = conditions(where) if where else []
    for part in parts:
        if part.column not in known_columns():
            raise missing_column(part.column, _filled(rows), "a row")
    lines = [json.loads(row.to_json()) for row in rows] if parts else [{}] * len(rows)
    met = [all(part.holds(line) for part in parts) for line in lines]
    if not any(met):
        raise ValueError(f"no run meets {where!r}{_instead(parts, lines)}")
    return met


def _filled(rows: Iterable[Row]) -> list[str]:
    """The columns in which some row has a value."""
    names: dict[str, None] = {}
    for row in rows:
        names |= {name: None for name, value in row.columns().items() if value not in (None, "")}
    return list(names)


def _instead(parts: Sequence[Condition], lines: Sequence[Mapping[str, Any]]) -> str:
    """The values of the column whose condition no line meets."""
    for part in parts:
        if not any(part.holds(line) for line in lines):
            values = sorted({line.get(part.column) for line in lines} - {None, ""}, key=lambda v: (str(type(v)), v))
            return f"; {part.column} is {_listed(values) or 'empty'}"
    return "; each part alone is met by some"


def _listed(values: Sequence[Any]) -> str:
    numbers = [number for value in values if (number := as_number(value)) is not None]
    if len(values) > _MOST_VALUES and len(numbers) == len(values):
        return f"between {min(numbers):g} and {max(numbers):g}"
    more = ["..."] if len(values) > _MOST_VALUES else []
    return ", ".join([*map(str, values[:_MOST_VALUES]), *more])
