"""Runs copied to a new results file, deleted from theirs, and results files moved: rows and predictions together."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection as Sized
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fewshot.files.atomic import make_folder, write_atomically
from fewshot.files.locks import locked
from fewshot.files.regular import read_bytes
from fewshot.results.collections import StoredRun
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import Selection
from fewshot.results.short_names import ShortNames

_OF_TRIALS = ("dataset", "split", "backbone", "transform", "sampler", "n_way", "k_shot", "n_query", "k_shot_at_most")


def copy_runs(runs: Sequence[StoredRun], target: Results, names: ShortNames) -> None:
    """Copies runs with their predictions and the trials of their choices, where there are any, and short names to a new
    results file, whole or not at all. Predictions are in place before their rows. Nothing may lie at the new place."""
    taken = [path for path in _places(target) if path.exists()]
    if taken:
        raise ValueError(f"{taken[-1]} exists; choose another file, or move it away first")
    make_folder(target.path.parent)
    temporary = target.path.parent / f".{target.path.name}.{secrets.token_hex(4)}"
    try:
        for run in runs:
            _copy_predictions(run, temporary / run.row.run_id)
        if trials := trials_of(runs):
            copy_runs(trials, target.trials, ShortNames({}))
        if temporary.exists():
            os.replace(temporary, target.predictions_folder)
        names.write(target.names_path)
        lines = _lines(runs)
        write_atomically(target.path, b"".join(lines[run.key] for run in runs))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if not target.path.exists():
            for folder in (target.predictions_folder, target.trials.path.parent):
                shutil.rmtree(folder, ignore_errors=True)
            target.names_path.unlink(missing_ok=True)


def trials_of(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """The stored trials among which runs chose their hyperparameters, each once. Imports no member."""
    wanted: dict[Path, set[Any]] = {}
    for run in runs:
        if (rule := specs_of(run.row).selection) is not None:
            wanted.setdefault(run.results.path, set()).add(_tried_by(run.row, rule))
    found: dict[Any, StoredRun] = {}
    for path, tried in wanted.items():
        trials = Results(path).trials
        for row in trials.rows() if trials.path.exists() else []:
            if row.status == "ok" and _tried(row, row.classes, row.seed) in tried:
                found.setdefault(row.run_id, StoredRun(row, trials))
    return list(found.values())


def _tried_by(row: Row, rule: Selection) -> Any:
    """What the trials of a run have in common."""
    return _tried(row, row.classes, row.seed) if rule.is_oracle else _tried(row, "validation", rule.seed)


def _tried(row: Row, classes: str, seed: int) -> Any:
    return classes, seed, specs_of(row).evaluator.name, *(getattr(row, name) for name in _OF_TRIALS)


def _lines(runs: Iterable[StoredRun]) -> dict[Any, bytes]:
    """The line of every run as it is stored, with columns that only another release or measure knows."""
    lines: dict[Any, bytes] = {}
    wanted = {(run.results.path, run.key): run.row for run in runs}
    for results in {run.results.path: run.results for run in runs}.values():
        for line in results.lines():
            row = _row(line)
            if row is not None and wanted.get((results.path, StoredRun(row, results).key)) == row:
                lines[StoredRun(row, results).key] = line
    return lines


def _copy_predictions(run: StoredRun, folder: Path) -> None:
    """Copies the parts of a run's predictions, after a check that they give the numbers of the row."""
    if run.has_predictions:
        for _ in run.results.predictions(run.row):
            pass
        for part in run.parts.files():
            write_atomically(folder / part.name, read_bytes(part))


def delete_runs(results: Results, runs: Sized[StoredRun]) -> None:
    """Deletes runs from their file: all their lines, also of failed attempts, then their predictions. Other lines keep
    their bytes."""
    ids = {run.row.run_id for run in runs if run.row.status == "ok"}
    specs = {run.row.spec for run in runs}
    results.gather()
    with locked(results.path.with_name(f"{results.path.name}.lock"), f"changes {results.path}"):
        lines = read_bytes(results.path).splitlines(keepends=True)
        write_atomically(results.path, b"".join(line for line in lines if not _is_of(line, ids, specs)))
    for run in runs:
        if run.has_predictions:
            shutil.rmtree(run.parts.folder)


def _is_of(line: bytes, ids: Sized[str], specs: Sized[Any]) -> bool:
    """Whether a line is a result of one of these runs, or a failed attempt at one; an unreadable line is neither."""
    row = _row(line)
    return row is not None and (row.run_id in ids if row.status == "ok" else row.spec in specs)


def _row(line: bytes) -> Row | None:
    """The row in a line; None for any other line."""
    try:
        return Row.from_json(line.decode())
    except ValueError:
        return None


def move_results(results: Results, path: Path) -> None:
    """Moves a results file with its predictions, trials and short names; the rows last, so that a second call finishes
    what a killed one began. Nothing may lie at the new place."""
    results.gather()
    pairs = [(old, new) for old, new in zip(_places(results), _places(Results(path)), strict=True) if old.exists()]
    taken = [new for _, new in pairs if new.exists()]
    if taken:
        raise ValueError(f"{taken[-1]} exists; choose another name")
    make_folder(path.parent)
    for old, new in pairs:
        try:
            os.replace(old, new)
        except OSError as error:
            raise OSError(
                f"cannot move {old} to {new}: {error.strerror}; copy with `fewshot results merge --out`, then delete"
            ) from error


def _places(results: Results) -> Iterable[Path]:
    """Everything that belongs to a results file, the rows last."""
    return results.predictions_folder, results.trials.path.parent, results.names_path, results.path
