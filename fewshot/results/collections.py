"""Results files as things: choose runs from several, copy them to a new file with their predictions, delete, move.

A run is one row and its stored predictions. Nothing here computes or changes a number.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.files.atomic import make_folder, write_atomically
from fewshot.results.files import Results
from fewshot.results.row import Row


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
    def has_predictions(self) -> bool:
        """Whether predictions of the run lie beside its row."""
        return bool(self.results.parts(self.row.run_id).files())


def runs_of(files: Sequence[Results], prefer: str = "") -> list[StoredRun]:
    """Every run of these files once, in order of appearance.

    Of two rows of one run the one with more episodes stays; of equals, the one with predictions. Two rows that say
    different things of the same episodes are a ValueError that names both files, unless `prefer` is "first" or "last".
    A failure stays only if no file has a result of the same run.
    """
    chosen: dict[Any, StoredRun] = {}
    for results in files:
        for row in results.rows():
            run = StoredRun(row, results)
            other = chosen.get(run.key)
            chosen[run.key] = run if other is None else _better(other, run, prefer)
    done = {run.row.spec for run in chosen.values() if run.row.status == "ok"}
    return [run for run in chosen.values() if run.row.status == "ok" or run.row.spec not in done]


def _better(first: StoredRun, second: StoredRun, prefer: str) -> StoredRun:
    if first.row.status != "ok":
        return second
    if first.row.n_episodes != second.row.n_episodes:
        return max(first, second, key=lambda run: run.row.n_episodes)
    if not _agree(first.row, second.row):
        if not prefer:
            raise ValueError(_conflict(first, second))
        return first if prefer == "first" else second
    return second if second.has_predictions and not first.has_predictions else first


def _agree(a: Row, b: Row) -> bool:
    return (a.accuracy, a.episodes_digest) == (b.accuracy, b.episodes_digest)


def _conflict(first: StoredRun, second: StoredRun) -> str:
    def number(row: Row) -> str:
        return "no accuracy" if row.accuracy is None else f"{100 * row.accuracy:.3f} %"

    why = "on other episodes" if first.row.episodes_digest != second.row.episodes_digest else "on the same episodes"
    return (
        f"run {first.row.run_id} has {number(first.row)} in {first.results.path} and {number(second.row)} {why} in "
        f"{second.results.path}; choose with --prefer first or --prefer last, or delete one"
    )


def copy_runs(runs: Iterable[StoredRun], target: Results) -> None:
    """Copies runs with their predictions, where there are any, to a new results file.

    Predictions are in place before their row. The file must not exist yet.
    """
    if target.path.exists():
        raise ValueError(f"{target.path} exists; give another --out, or delete it first")
    make_folder(target.path.parent)
    for run in runs:
        if run.has_predictions:
            _copy_predictions(run, target)
        target.append(run.row)


def _copy_predictions(run: StoredRun, target: Results) -> None:
    """Copies the parts of a run's predictions, after a check that they give the numbers of the row: whole or not."""
    for _ in run.results.predictions(run.row):
        pass
    folder = target.parts(run.row.run_id).folder
    temporary = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    make_folder(temporary)
    try:
        for part in run.results.parts(run.row.run_id).files():
            shutil.copyfile(part, temporary / part.name)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def delete_runs(results: Results, runs: Collection[StoredRun]) -> None:
    """Deletes runs from their file: first all their lines, then their predictions. Other lines keep their bytes."""
    from filelock import FileLock

    keys = {run.key for run in runs}
    with FileLock(f"{results.path}.lock"):
        lines = results.path.read_bytes().splitlines(keepends=True)
        write_atomically(results.path, b"".join(line for line in lines if not _is_of(line, keys)))
    for run in runs:
        shutil.rmtree(results.parts(run.row.run_id).folder, ignore_errors=True)


def _is_of(line: bytes, keys: Collection[Any]) -> bool:
    """Whether a line is a row of one of these runs; an unreadable line is nobody's."""
    try:
        row = Row.from_json(line.decode())
    except ValueError:
        return False
    return (row.run_id if row.status == "ok" else row.spec) in keys


def move_results(results: Results, path: Path) -> None:
    """Renames a results file together with its predictions and trials; nothing may lie at the new place."""
    moved = Results(path)
    pairs = [
        (results.predictions_folder, moved.predictions_folder),
        (results.trials.path.parent, moved.trials.path.parent),
        (results.path, moved.path),
    ]
    taken = [new for _, new in pairs if new.exists()]
    if taken:
        raise ValueError(f"{taken[0]} exists; choose another name")
    make_folder(path.parent)
    for old, new in pairs:
        if old.exists():
            os.replace(old, new)


def chosen_by(condition: str) -> Callable[[Row], bool]:
    """Whether a row meets a condition such as "k_shot == 5, backbone=RawPixels(image_size=32)", by its columns."""
    from fewshot.results.conditions import conditions
    from fewshot.results.row import known_columns

    parts = conditions(condition) if condition else []
    unknown = [part.column for part in parts if part.column not in known_columns()]
    if unknown:
        raise ValueError(
            f"rows have no column {unknown[0]!r}{_nearest(unknown[0], known_columns())}; "
            "`fewshot results show RUN` lists the columns of a run"
        )

    def meets(row: Row) -> bool:
        values = json.loads(row.to_json())
        return all(part.holds(values) for part in parts)

    return meets


def _nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""
