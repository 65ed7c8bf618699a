"""Rows that each process writes to a file of its own, beside the results file: `<name>.rows/<process>.jsonl`.

A file has one writer, so it needs no lock. Readers see these rows with those of the results file, until the process
that started the others moves them there.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fewshot.files.regular import read_bytes
from fewshot.results.reading import SAME, Disagreement, Reading, read
from fewshot.results.row import Row


def own_name() -> str:
    """A name for the file of this process, which no other process has."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
    return f"{host}-{os.getpid()}-{secrets.token_hex(2)}"


def folder_of(path: Path) -> Path:
    """The folder of the own files beside a results file."""
    return path.with_suffix(".rows")


def files_of(path: Path) -> list[Path]:
    """The own files beside a results file, by name; regular files alone."""
    return [file for file in sorted(folder_of(path).glob("*.jsonl")) if file.is_file()]


def readings(path: Path) -> list[Reading]:
    """The rows of a results file, then those of each own file."""
    return [read(path), *map(read, files_of(path))]


def merged(found: Sequence[Reading]) -> list[Row]:
    """Every run once, in order of first appearance: the row with the most episodes, then the latest. A failure
    disappears if a later attempt in any file succeeds."""
    if len(found) == 1:
        return list(found[0].latest.values())
    best: dict[object, tuple[Row, int]] = {}
    done: dict[object, list[tuple[str, int]]] = {}  # when and in which file a spec succeeded
    for number, reading in enumerate(found):
        for key, row in reading.latest.items():
            if key not in best or _age(row) >= _age(best[key][0]):
                best[key] = row, number
            if row.status == "ok":
                done.setdefault(row.spec, []).append((row.finished, number))
    return [
        row
        for row, number in best.values()
        if row.status == "ok" or all(file == number or at < row.finished for at, file in done.get(row.spec, []))
    ]


def show(found: Sequence[Reading], failure: Row) -> bool:
    """Whether these rows show a failure of the same run with the same error; when and where it failed does not
    count."""
    said = _said(Row.from_json(failure.to_json()))
    return any(_said(row) == said for row in merged(found) if row.status == failure.status)


def _said(failure: Row) -> tuple[object, ...]:
    return failure.run_id, failure.schema, failure.protocol, failure.benchmark_set, failure.error, failure.spec


def _age(row: Row) -> tuple[int, str]:
    return row.n_episodes, row.finished


def latest(found: Sequence[Reading], run_id: str) -> Row | None:
    """The row of a run that succeeded, the one with the most episodes, then the latest; or None."""
    rows = [row for reading in found if (row := reading.latest.get(run_id)) is not None]
    return max(rows, key=_age, default=None)


def disagreements(found: Sequence[Reading]) -> Iterator[Disagreement]:
    """Runs with two accuracies for the same episodes, in one file or in two."""
    first: dict[str, tuple[Row, int]] = {}
    for reading in found:
        yield from reading.disagreements.values()
        for run_id, line in reading.places.items():
            row = reading.latest[run_id]
            other, place = first.setdefault(run_id, (row, line))
            if other.n_episodes != row.n_episodes or other.accuracy is None or row.accuracy is None:
                continue
            if abs(other.accuracy - row.accuracy) > SAME:
                yield Disagreement(run_id, row.n_episodes, (place, line), (other.accuracy, row.accuracy))


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a results file and of its own files, as they are stored, each with its end."""
    for file in [path, *files_of(path)]:
        for line in read_bytes(file).splitlines() if file.exists() else []:
            yield line + b"\n"


def sorted_lines(files: Iterable[Path], order: Sequence[str]) -> list[bytes]:
    """The lines of own files, each with its end, by the place of their run in `order`; others last. Lines that are no
    rows stay too."""
    place = {run_id: number for number, run_id in enumerate(order)}
    found = [line + b"\n" for file in files for line in read_bytes(file).splitlines() if line.strip()]
    return sorted(found, key=lambda line: place.get(_run_id(line), len(place)))


def _run_id(line: bytes) -> str:
    try:
        return Row.from_json(line.decode()).run_id
    except ValueError:
        return ""
