"""A submission from a results file: every run that others can check, and a reason for every other run."""

from __future__ import annotations

import datetime
import json
import secrets
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fewshot.files.atomic import make_folder, write_atomically
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import ItemisedError, counted
from fewshot.results.collections import Collection, StoredRun
from fewshot.results.files import Results
from fewshot.results.made_here import was_made_here
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.runs.scores import score
from fewshot.sharing.about import About, Manifest
from fewshot.sharing.checks import check, renewed, score_problems, seen_columns
from fewshot.sharing.cleaning import (
    check_identity,
    clean_row,
    cleaned,
    cleaned_spec,
    places_of,
    private_word_in,
    private_words,
)
from fewshot.sharing.commands import command_of
from fewshot.sharing.data_names import named_as
from fewshot.sharing.designs import SharedDesign, of_images, of_predictions
from fewshot.sharing.images import AtHand
from fewshot.sharing.layout import ABOUT, README, ROWS, RUNS, is_run_id, sha256_of
from fewshot.sharing.members import KINDS, RECORDED, own_code, own_columns, recorded_identity, same_but_for_paths
from fewshot.sharing.shared import Shared, bounded
from fewshot.sharing.stored import runs_text
from fewshot.sharing.texts import page_of

_MOST_REASONS = 5  # in an error
_FROM = ("weights_digest", "preprocess_digest", "images_digest")  # of a row, in the metadata of its predictions


@dataclass(frozen=True)
class Submitted:
    """What went into a submission."""

    manifest: Manifest
    runs: tuple[Shared, ...]
    n_bytes: int
    n_lost: int = 0  # lines of the results files that are no rows, and no other line has their run


def submit(runs: Collection, out: Path, about: About, at_hand: AtHand) -> Submitted:
    """Writes the submission of these runs as a new folder, whole or not at all. A ValueError if none can be shared."""
    if out.exists():
        raise ValueError(f"{out} exists; choose another --out, or move it away first")
    make_folder(out.absolute().parent)
    temporary = out.absolute().parent / f".{out.name}.{secrets.token_hex(4)}"
    try:
        submitted = _written(runs, temporary, about, at_hand)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return submitted


def _written(runs: Collection, folder: Path, about: About, at_hand: AtHand) -> Submitted:
    """The same, in a folder that nobody reads yet."""
    kept: list[Shared] = []
    left_out: list[tuple[str, str]] = []
    words = private_words()
    target = Results(folder / ROWS)
    for run in runs.runs:
        try:
            kept.append(_shared(run, target, at_hand, words))
        except (ValueError, OSError) as error:
            target.parts(run.row.run_id).remove()
            shutil.rmtree(target.parts(run.row.run_id).folder, ignore_errors=True)
            why = " ".join(str(error).split()) or type(error).__name__
            left_out.append((run.row.run_id, bounded(cleaned(why, places_of(run.row)))))
    lost = runs.lost
    left_out += [
        (one.run_id or one.place, bounded(f"{f'{one.place} ' * bool(one.run_id)}cannot be read: {cleaned(one.why)}"))
        for one in lost
    ]
    if not kept:
        raise _none_shared(left_out)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    about = replace(about, made=now, fewshot=version("fewshot"))
    manifest = Manifest(about, {}, tuple(left_out), _environments(one.row for one in kept))
    write_atomically(target.path, "".join(f"{one.row.to_json()}\n" for one in kept).encode())
    write_atomically(folder / RUNS, runs_text(kept).encode())
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    write_atomically(folder / README, page_of(folder, manifest, kept))
    manifest = replace(manifest, files=listed_files(folder))
    write_atomically(folder / ABOUT, manifest.text().encode())
    return Submitted(manifest, tuple(kept), size, len(lost))


def _none_shared(left_out: Sequence[tuple[str, str]]) -> ItemisedError:
    """The error of a submission without runs: a line for each reason, with the runs that it applies to."""
    by_reason: dict[str, list[str]] = {}
    for run_id, why in left_out:
        by_reason.setdefault(why, []).append(run_id)
    items = [f"{_named(run_ids)}: {why}" for why, run_ids in by_reason.items()]
    rest = len(items) - _MOST_REASONS
    shown = [*items[:_MOST_REASONS], *([f"and {counted(rest, 'other reason')}"] if rest > 0 else [])]
    what = "the run cannot be shared" if len(left_out) == 1 else f"none of the {len(left_out):,} runs can be shared"
    return ItemisedError(f"{what}:", shown)


def _named(run_ids: Sequence[str]) -> str:
    more = len(run_ids) - 1
    return f"run {run_ids[0]:.16}" + (f" and {counted(more, 'other')}" if more else "")


def _environments(rows: Iterable[Row]) -> tuple[str, ...]:
    """Device, platform and versions of the runs, each once."""
    return tuple(dict.fromkeys(", ".join(filter(None, (row.device, row.platform, row.versions))) for row in rows))


def listed_files(folder: Path) -> dict[str, tuple[str, int]]:
    """sha256 and size of every file of a folder, by its name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (sha256_of(path), path.stat().st_size) for path in paths}


def _shared(run: StoredRun, target: Results, at_hand: AtHand, words: Sequence[str]) -> Shared:
    """A run as it is shared, after its predictions were written and checked; a ValueError says why it is not shared."""
    row = run.row
    if row.status != "ok":
        raise ValueError(f"it failed: {row.error:.300}" if row.error else "it failed")
    if not run.has_predictions:
        raise ValueError("it has no stored predictions")
    if not is_run_id(row.run_id):
        raise ValueError("its run id is not one that fewshot made")
    design, dataset = _design(row, run.results, at_hand)
    computed, _ = score(run.results.predictions(row), design.whole(row))
    row = renewed(row, computed)
    if problems := list(score_problems(row, computed, design.has_names)):
        raise ValueError(f"{problems[0]}: another release computed it, run it again")
    row = replace(row, **seen_columns(row, design))
    code = own_code(row) if at_hand.own and was_made_here(row) else ", ".join(own_columns(row))
    clean, places = clean_row(row), places_of(row)
    if not code:
        check_identity(row, clean)
    design, code = replace(design, dataset=cleaned(design.dataset, places)), cleaned(code, places)
    clean = named_as(clean, design.dataset)
    shared = Shared(clean, design, _identities(row, dataset), code, command_of(clean))
    if word := private_word_in(_texts(shared), words):
        raise ValueError(f"its texts hold {word!r}, a name of this user or machine; rename the folder and run it again")
    _copy(run, target)
    if problems := list(check(shared, target, at_hand).problems):
        raise ValueError(problems[0])
    return shared


def _texts(shared: Shared) -> str:
    texts: list[Any] = [value for value in shared.row.columns().values() if isinstance(value, str)]
    return json.dumps([texts, shared.command, shared.own_code, shared.identities], ensure_ascii=False)


def _identities(row: Row, dataset: Spec | None) -> dict[str, str]:
    """The identities of specs that name files, as far as these are here; the data may have moved."""
    spec = specs_of(row)
    found = {name: recorded_identity(getattr(spec, name)) for name in RECORDED}
    if not found["dataset"] and dataset is not None and same_but_for_paths(dataset, spec.dataset):
        found["dataset"] = recorded_identity(dataset)
    return {name: text for name, text in found.items() if text and cleaned_spec(KINDS[name], text) == text}


def _design(row: Row, results: Results, at_hand: AtHand) -> tuple[SharedDesign, Spec | None]:
    """The design and the data set, from the images where they are at hand, else from the predictions."""
    try:
        dataset, images = at_hand.find(row)
    except (ValueError, OSError):
        return of_predictions(row, results), None
    design, split = of_images(row, dataset, images, own=True)
    if row.split_digest and split.digest != row.split_digest:
        raise ValueError(f"the split of {images.name} has changed since the run")
    return design, dataset


def _copy(run: StoredRun, target: Results) -> None:
    """Writes the predictions of exactly the episodes of a run, without anything else that its files hold."""
    made_from = {name: value for name in _FROM if (value := getattr(run.row, name))}
    for part in run.results.predictions(run.row):
        target.parts(run.row.run_id).write(part, made_from)
