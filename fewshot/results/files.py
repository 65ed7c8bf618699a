"""Rows and their files: one flat JSON line a run, predictions beside it.

`<name>.jsonl` holds the rows; the folder `<name>.predictions/<run_id>/` holds the predictions in parts, each a run
of episodes. Predictions are in place before the row that speaks of them. Lines are appended whole, under a lock;
a line that cannot be read is counted and told, and its neighbours survive.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fewshot.files.atomic import make_folder, read_metadata
from fewshot.results.predictions import Predictions

SCHEMA = 1  # raised when the meaning of a run changes; part of every run id
_log = logging.getLogger("fewshot")


@dataclass(frozen=True)
class Row:
    """A run: its spec, its measures, its provenance. Flat JSON scalars; accuracies are fractions in [0, 1]."""

    run_id: str
    schema: int = SCHEMA
    protocol: str = ""  # name and version of the suite, such as "quick@1"
    status: str = "ok"  # or "failed"
    error: str = ""
    # spec
    dataset: str = ""
    split: str = ""
    classes: str = ""
    backbone: str = ""
    transform: str = ""
    evaluator: str = ""
    sampler: str = ""
    n_way: int | None = None
    k_shot: int | None = None
    n_query: int | None = None
    k_shot_at_most: bool = False
    seed: int = 0
    dtype: str = ""
    selection_rule: str = ""  # how hyperparameters were to be chosen before the run, its grid included
    # measures
    n_episodes: int = 0
    n_classes: int = 0  # that episodes are drawn from
    accuracy: float | None = None  # mean over episodes
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    accuracy_reason: str = ""  # why there is no interval; the same for the other reasons
    population: str = ""  # what the interval speaks of
    new_images_low: float | None = None  # of the interval for new images of these classes; it needs disjoint pools
    new_images_high: float | None = None
    new_images_reason: str = ""
    new_classes_low: float | None = None  # of the interval for new classes, or new groups of them
    new_classes_high: float | None = None
    new_classes_unit: str = ""  # "classes", or "groups (superclass)" where episodes draw groups; "" in older rows
    new_classes_monte_carlo: float | None = None  # share of its variance that more episodes would take away
    new_classes_reason: str = ""
    new_draws_low: float | None = None  # of the interval for new supports and new images; it needs whole test sets
    new_draws_high: float | None = None
    new_draws_reason: str = ""
    draws: str = ""  # the accuracy after each draw of a support, where each answers a whole test set
    # further measures, their intervals for new classes (fewshot/measures)
    lowest_class: str = ""  # the class with the lowest accuracy over the episodes that hold it
    lowest_class_accuracy: float | None = None  # a minimum: no interval
    lowest_tenth: float | None = None  # mean accuracy of the tenth of the episodes that went worst
    lowest_tenth_low: float | None = None
    lowest_tenth_high: float | None = None
    macro_f1: float | None = None
    macro_f1_low: float | None = None
    macro_f1_high: float | None = None
    log_loss: float | None = None  # mean of -ln p of the true way
    log_loss_low: float | None = None
    log_loss_high: float | None = None
    calibration_error: float | None = None  # over all queries, 15 bins of equal mass; biased upward
    calibration_error_low: float | None = None
    calibration_error_high: float | None = None
    auroc: float | None = None  # mean over the ways, one against the rest
    auroc_low: float | None = None
    auroc_high: float | None = None
    average_precision: float | None = None  # mean over the ways
    average_precision_low: float | None = None
    average_precision_high: float | None = None
    ranking_reason: str = ""  # why there is no AUROC and no average precision
    n_not_converged: int = 0
    # honesty
    transductive: bool = False
    pretrained_on: str = "unknown"  # data that the weights were trained on; "nothing" for none
    seen_classes: str = "unknown"  # whether the weights were trained on these classes: not seen, seen, unknown
    n_seen_classes: int | None = None  # how many of them were in the weights' training data; None: not looked at
    n_unknown_classes: int | None = None  # of how many it is not known
    seen_classes_by: str = ""  # what the classes were found by: "synset ids", "the table of CIFAR-100", "class names"
    selection: str = "none"  # on what hyperparameters were chosen: "support", "validation classes", ...
    n_labels_selection: int = 0  # labelled images that the choice used, beyond the supports
    n_trials: int = 1  # settings that it compared
    chosen: str = ""  # the evaluator that was chosen before the run, where that is one for all episodes
    # the training, of a network that was trained here
    recipe: str = ""
    training_rule: str = ""  # "epochs", "steps" or "tuned": what more training images change
    network: str = ""  # where the training started, without its seed
    started_on: str = ""  # what that start had been trained on; "nothing" for none
    training_seed: int | None = None
    training_classes: int | None = None
    unique_images: int | None = None
    images_processed: int | None = None
    training_trials: int = 1
    first_loss: float | None = None  # mean over the first tenth of the steps
    training_loss: float | None = None  # mean over the last tenth
    validation_loss: float | None = None
    seen_error: float | None = None  # of the trained classes, all at once, on images held out
    seen_loss: float | None = None  # cross-entropy there, in nats
    n_held_out: int | None = None  # images that both are of; absent in older rows
    # cost
    seconds_embedding: float = 0.0
    seconds_solving: float = 0.0
    n_embedded: int = 0
    n_params: int = 0
    dim: int = 0
    # provenance
    images_digest: str = ""
    classes_digest: str = ""
    split_digest: str = ""
    episodes_digest: str = ""
    weights_digest: str = ""
    preprocess_digest: str = ""
    device: str = ""
    n_threads: int = 0
    platform: str = ""
    commit: str = ""
    versions: str = ""
    finished: str = ""  # UTC, ISO 8601

    @property
    def spec(self) -> tuple[Any, ...]:
        """What was asked for, as columns: equal for a run that failed and the same run that did not."""
        return tuple(getattr(self, name) for name in _SPEC)

    def to_json(self) -> str:
        """One line of JSON; NaN is written as null, and what is no Unicode (of a file's name) as a question mark."""
        values = dataclasses.asdict(self)
        clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
        return json.dumps(clean, ensure_ascii=False).encode(errors="replace").decode()

    @staticmethod
    def from_json(line: str) -> Row:
        """The row of a line of this or an older release: absent columns take their defaults, unknown ones are
        left out. A ValueError for anything else."""
        try:
            values = json.loads(line)
        except RecursionError as error:
            raise ValueError("not a row: JSON without end") from error
        if not isinstance(values, Mapping) or not isinstance(values.get("run_id"), str):
            raise ValueError("not a row: no run_id")
        known = {f.name: f for f in dataclasses.fields(Row)}
        kept = {name: value for name, value in values.items() if name in known}
        for name, value in kept.items():
            if not _fits(value, str(known[name].type)):
                raise ValueError(f"column {name} should be {known[name].type}, found {value!r}")
        return Row(**kept)


_SPEC = (
    "dataset",
    "split",
    "classes",
    "backbone",
    "transform",
    "evaluator",
    "sampler",
    "n_way",
    "k_shot",
    "n_query",
    "k_shot_at_most",
    "seed",
    "dtype",
    "selection_rule",
)


def _fits(value: Any, annotation: str) -> bool:
    """Whether a JSON scalar is of a column's type."""
    allowed: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "None": (type(None),),
    }
    types = [t for part in annotation.split(" | ") for t in allowed[part]]
    return type(value) in types


@dataclass(frozen=True)
class Results:
    """The results file of a suite, or of one user's runs."""

    path: Path

    def append(self, row: Row) -> None:
        """Adds a row as one whole line, under a lock; after a torn line it starts a new one."""
        from filelock import FileLock

        make_folder(self.path.parent)
        try:
            with FileLock(f"{self.path}.lock"), open(self.path, "ab+") as file:
                start = file.seek(0, os.SEEK_END)
                if start and _last_byte(file) != b"\n":
                    file.write(b"\n")
                file.write(row.to_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(
                f"cannot append to {self.path}: {error.strerror or error}; free space or set another "
                "file, the predictions are kept"
            ) from error

    def rows(self) -> list[Row]:
        """The last row of every run, in order of first appearance. A failure stands beside an earlier result of the
        same run, and goes when a later one succeeds. Unreadable lines are counted and told."""
        latest: dict[Any, Row] = {}  # results by run id, failures by what was asked for
        for row in self._read():
            if row.status == "ok":
                latest.pop(row.spec, None)
            latest[row.run_id if row.status == "ok" else row.spec] = row
        return list(latest.values())

    def row(self, run_id: str) -> Row | None:
        """The last row of a run that did not fail, or None."""
        return {row.run_id: row for row in self._read() if row.status == "ok"}.get(run_id)

    def _read(self) -> Iterator[Row]:
        if not self.path.exists():
            return
        if not self.path.is_file():
            raise OSError(f"{self.path} is not a file of rows but a folder or device; name another")
        bad: list[int] = []
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    if line.strip():
                        yield Row.from_json(line.decode())
                except ValueError:
                    bad.append(number)
        if bad:
            _tell_unreadable(self.path, len(bad), bad[0])

    @property
    def trials(self) -> Results:
        """The results of settings that were only tried out, to choose hyperparameters."""
        return Results(self.path.with_suffix(".trials") / "rows.jsonl")

    def parts(self, run_id: str) -> PredictionParts:
        """The stored predictions of a run."""
        return PredictionParts(self.path.with_suffix(".predictions") / run_id)


@cache
def _tell_unreadable(path: Path, count: int, first: int) -> None:
    """Warns once a process: a suite reads its file before every run."""
    _log.warning("%s: %d of its lines cannot be read and are left out, the first is line %d", path, count, first)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    file.seek(0, os.SEEK_END)
    return last


@dataclass(frozen=True)
class PredictionParts:
    """Predictions of a run in parts [start, stop) of its episodes. What a killed run wrote is kept and continued."""

    folder: Path

    def missing(self, start: int, stop: int, provenance: Mapping[str, str]) -> list[tuple[int, int]]:
        """The ranges of episodes in [start, stop) that are not stored. Parts made from other weights or images, and
        damaged ones, are removed with a message: those episodes run again."""
        gaps, reached = [], start
        for path, (first, last) in self._ranges.items():
            problem = self._problem(path, provenance)
            if problem:
                _log.warning("%s %s; its episodes run again", path, problem)
                path.unlink(missing_ok=True)  # another process may have been faster
            elif last > reached:
                gaps.append((reached, min(first, stop)))
                reached = last
        return [(low, high) for low, high in [*gaps, (reached, stop)] if low < high]

    def _problem(self, path: Path, provenance: Mapping[str, str]) -> str | None:
        try:
            _, about = Predictions.load(path)
        except ValueError as error:
            return f"is damaged ({error})"
        wrong = [k for k, v in provenance.items() if about.get(k) != v]
        return f"was made with another {' and '.join(wrong)}" if wrong else None

    def write(self, predictions: Predictions, provenance: Mapping[str, str]) -> None:
        """Stores a part; it is whole or absent."""
        start = int(predictions.episodes.index[0])
        predictions.save(self.folder / f"{start:09d}-{start + len(predictions):09d}.safetensors", dict(provenance))

    def read(self, n_episodes: int) -> Iterator[Predictions]:
        """The first `n_episodes` episodes, part by part; a ValueError where some are missing."""
        reached = 0
        for path, (start, stop) in self._ranges.items():
            if start > reached:
                break
            if stop > reached and reached < n_episodes:
                kept = slice(reached - start, n_episodes - start)
                yield Predictions.load(path)[0][kept]  # without a name here: the next part takes its room
                reached = stop
        if reached < n_episodes:
            raise ValueError(
                f"{self.folder} holds predictions up to episode {reached}, but {n_episodes} are needed; "
                "run the same command again"
            )

    def cost(self, name: str) -> float:
        """The sum over all parts of a cost that they were written with, such as "seconds_solving"."""
        abouts = (read_metadata(path, "predictions") for path in self._ranges)
        return round(sum(float(about.get(name, 0)) for about in abouts), 3)

    @property
    def _ranges(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            match = re.fullmatch(r"(\d{9})-(\d{9})\.safetensors", path.name)
            if match:
                found[path] = int(match[1]), int(match[2])
        return found
