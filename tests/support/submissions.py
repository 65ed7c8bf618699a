"""Submissions of small real runs, and ways to forge them so that all of their sha256 fit again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.runs.pipeline import run
from fewshot.runs.scores import score
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.sharing.about import About, Manifest
from fewshot.sharing.commands import command_of
from fewshot.sharing.images import AtHand
from fewshot.sharing.layout import ABOUT, README, ROWS, RUNS, VERIFICATION
from fewshot.sharing.stored import read_shared, runs_text
from fewshot.sharing.submit import listed_files, submit
from fewshot.sharing.texts import page_of
from tests.support.bird_folders import write_birds

HEADS = ("Prototype()", "NearestNeighbour()")
ABOUT_IT = About("Two heads", "A. Author and B. Author", "https://example.org/heads", "The first try.")


def birds(folder: Path) -> Any:
    """The spec of four classes of small pictures below a folder."""
    place = folder / "birds"
    return DATASETS.spec(f"ImageFolderSet({str(place if place.exists() else write_birds(place))!r})")


def runs(folder: Path, heads: tuple[str, ...] = HEADS, n_episodes: int = 6, size: int = 4) -> Results:
    """A results file with a run of each head on the birds."""
    results, data = Results(folder / "mine.jsonl"), birds(folder)
    episodes = Sampled(EpisodeShape(n_way=3, k_shot=2, n_query=4))
    for head in heads:
        spec = RunSpec(data, f"RawPixels(image_size={size})", head, episodes, split="AllNovel()", n_episodes=n_episodes)
        run(spec, results, Workbench(progress=False))
    return results


def submission(folder: Path, results: Results | None = None, about: About = ABOUT_IT, name: str = "heads") -> Path:
    """A submission of these results, or of two heads on the birds."""
    held = runs(folder) if results is None else results
    submit(Collection.of([held]), folder / name, about, AtHand((birds(folder),), own=True))
    return folder / name


def copied(source: Path, target: Path) -> Path:
    """A copy of a submission that a test may change."""
    shutil.copytree(source, target, symlinks=True)
    return target


@contextmanager
def own_home(folder: Path) -> Iterator[None]:
    """Features and the list of own runs below this folder, for fixtures that serve several tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(folder / "home"))
        yield


def on_another_machine(patch: pytest.MonkeyPatch) -> None:
    """From now on this machine has no list of the runs that were made on it."""
    patch.setattr("fewshot.sharing.images.data_here", lambda row: [])


def sealed(folder: Path) -> None:
    """Lists the files of a changed submission with their present sha256, as a forger would."""
    manifest = Manifest.read(folder)
    files = {name: of for name, of in listed_files(folder).items() if name not in (ABOUT, VERIFICATION)}
    (folder / ABOUT).write_text(replace(manifest, files=files).text(), encoding="utf-8")


def rewritten(folder: Path) -> None:
    """Gives a changed submission the commands and the page that its rows give, and seals it."""
    shared = [replace(one, command=command_of(one.row)) for one in read_shared(folder)]
    (folder / RUNS).write_text(runs_text(shared), encoding="utf-8")
    (folder / README).write_bytes(page_of(folder, Manifest.read(folder), shared))
    sealed(folder)


def change_rows(folder: Path, change: Callable[[dict[str, Any]], None], number: int = 0) -> None:
    """Changes the JSON values of one row, and seals the folder."""
    lines = (folder / ROWS).read_text(encoding="utf-8").splitlines()
    values = json.loads(lines[number])
    change(values)
    lines[number] = json.dumps(values)
    (folder / ROWS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    sealed(folder)


def change_json(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the JSON values of a file, and seals the folder."""
    values = json.loads((folder / name).read_text(encoding="utf-8"))
    change(values)
    (folder / name).write_text(json.dumps(values), encoding="utf-8")
    if name != ABOUT:
        sealed(folder)


def first_row(folder: Path) -> Row:
    """The first row of a submission."""
    return Results(folder / ROWS).rows()[0]


def part_of(folder: Path) -> Path:
    """The only file of predictions of the first row."""
    (part,) = Results(folder / ROWS).parts(first_row(folder).run_id).files()
    return part


def change_predictions(folder: Path, change: Callable[[Predictions], Predictions]) -> None:
    """Changes the predictions of the first row, with a checksum that fits, and seals the folder."""
    part = part_of(folder)
    predictions, about = Predictions.load(part)
    changed = change(predictions)
    part.unlink()
    start = int(changed.episodes.index[0])
    changed.save(part.with_name(f"{start:09d}-{start + len(changed):09d}.safetensors"), about)
    sealed(folder)


def rescored(folder: Path) -> None:
    """Gives the first row the numbers of its changed predictions: a forgery that is consistent in itself."""
    shared = read_shared(folder)[0]
    parts = [predictions for predictions, _ in map(Predictions.load, [part_of(folder)])]
    computed, digest = score(iter(parts), shared.design.whole(shared.row))
    forged = Row.of(shared.row, computed)
    values = json.loads(forged.to_json()) | {"episodes_digest": digest}
    change_rows(folder, lambda row: row.update(values))
    change_json(folder, "runs.json", lambda held: held["runs"][forged.run_id].update(episodes_digest=digest))
    rewritten(folder)


def all_right(predictions: Predictions) -> Predictions:
    """The predictions with every answer right."""
    return replace(predictions, predicted=predictions.episodes.query_labels.astype(np.uint16))
