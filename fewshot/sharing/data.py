"""A row against its images, and a row computed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.digest import EpisodesDigest
from fewshot.episodes.episodes import Episodes
from fewshot.plugins.spec import Spec
from fewshot.report.rows.tasks import accuracy
from fewshot.results.columns import Honesty
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import Selection
from fewshot.runs.pipeline import run
from fewshot.runs.selection import n_labels, trials
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.sharing.designs import differences, of_images
from fewshot.sharing.images import AtHand
from fewshot.sharing.members import KINDS, member, shape
from fewshot.sharing.shared import Checked, Shared, Unknown, one_line

MOST_OTHER_ANSWERS = 1e-3  # share of answers that may differ: processors round differently (docs/machines.md)
_BLOCK = 256  # episodes
_HONEST = ("transductive", "pretrained_on", "seen_classes", "selection", "n_labels_selection", "n_trials", "chosen")


def check_episodes(shared: Shared, results: Results, at_hand: AtHand) -> Checked:
    """Whether the design is that of the images, and the episodes are those that the sampler draws from them."""
    row = shared.row
    try:
        dataset, images = at_hand.find(row)
    except (ValueError, OSError) as error:
        return Checked(unchecked=(f"its episodes: {error}",))
    try:
        design, split = of_images(row, dataset, images, own=False)
    except (ValueError, KeyError) as error:
        return Checked(unchecked=(f"its episodes: {error}",))
    problems = [f"its {name} are not those of {images.name}" for name in differences(shared.design, design)]
    if row.split_digest != split.digest:
        problems.append(f"its split is not the one that {row.split or 'the data set'} gives for {images.name}")
    try:
        problems += _episode_problems(row, results, images, np.array(design.classes))
        problems += _label_problems(row, dataset, images)
    except Unknown as error:
        return Checked(tuple(problems), (str(error),))
    return Checked(tuple(problems))


def _episode_problems(row: Row, results: Results, images: LabelledImages, classes: np.ndarray) -> Iterator[str]:
    try:
        for part in results.predictions(row):
            part.episodes.check(images)
    except ValueError as error:
        yield f"its episodes are not of {images.name}: {error}"
        return
    if specs_of(row).from_file:
        raise Unknown("its episodes: they are a list, not drawn by a sampler; their labels are those of the images")
    if specs_of(row).sampler.paths:
        raise Unknown("its episodes: the sampler names a file that only its author has")
    try:
        digest = _sampled_digest(row, images, classes)
    except ValueError as error:
        yield f"its sampler cannot draw its episodes: {error}"
        return
    if digest != row.episodes_digest:
        yield f"its sampler draws other episodes ({digest[:12]}) than those of the row ({row.episodes_digest[:12]})"


def _label_problems(row: Row, dataset: Spec, images: LabelledImages) -> Iterator[str]:
    """A number of labelled images for the choice of hyperparameters that the rule of the row does not use."""
    if not row.selection_rule:
        return
    try:
        spec, bench = spec_of(row, dataset), Workbench(images=lambda _: images, progress=False)
        assert spec.selection is not None
        used = n_labels(bench.prepare(trials(spec)[0]), bench.prepare(spec), spec.selection)
    except (ValueError, OSError) as error:
        raise Unknown(f"its labels for the choice of hyperparameters: {one_line(error)}") from error
    if used != row.n_labels_selection:
        yield f"n_labels_selection is {row.n_labels_selection:,} in the row, but its rule uses {used:,} labelled images"


def _sampled_digest(row: Row, images: LabelledImages, classes: np.ndarray) -> str:
    """The digest of the episodes that the sampler of a row draws."""
    sampler, digest = member(row, "sampler"), EpisodesDigest()
    for start in range(0, row.n_episodes, _BLOCK):
        count = min(_BLOCK, row.n_episodes - start)
        episodes: Episodes = sampler.sample(images, classes, shape(row), row.seed, start, count)
        digest.add(episodes)
    return digest.value


def again(shared: Shared, results: Results, at_hand: AtHand, folder: Path) -> Checked:
    """Whether the same spec gives the same predictions when this machine computes it, in an empty folder. An Unknown
    says why it cannot."""
    row = shared.row
    fresh = Results(folder / "rows.jsonl")
    try:
        spec, images = runnable(shared, at_hand)
        mine = run(spec, fresh, Workbench(images=lambda _: images, progress=False))
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        raise Unknown(one_line(error)) from error
    assert mine is not None  # one process solved all episodes
    return Checked(tuple(_rerun_problems(row, results, mine, fresh)))


def runnable(shared: Shared, at_hand: AtHand) -> tuple[RunSpec, LabelledImages]:
    """The spec of a row and its images; a ValueError or an OSError says why it cannot run here."""
    if shared.own_code:
        raise ValueError(f"own code, {shared.own_code}")
    dataset, images = at_hand.find(shared.row)
    return spec_of(shared.row, dataset), images


def spec_of(row: Row, dataset: Spec) -> RunSpec:
    """The spec of a row of fewshot's own members, on this data set; a ValueError if it names others, or a file."""
    if specs_of(row).from_file:
        raise ValueError("its episodes are a list that only its author has")
    specs = {
        name: KINDS[name].spec(getattr(row, name), allow_import=False)
        for name in ("backbone", "transform", "evaluator", "sampler")
    }
    split = KINDS["split"].spec(row.split, allow_import=False) if row.split else None
    for name, spec in [*specs.items(), *([("split", split)] if split is not None else [])]:
        if spec.paths:
            raise ValueError(f"its {name} {spec.text:.80} names a file that only its author has")
    return RunSpec(
        dataset=dataset,
        backbone=specs["backbone"],
        evaluator=specs["evaluator"],
        episodes=Sampled(shape(row), row.seed, specs["sampler"]),
        transform=specs["transform"],
        classes=row.classes,
        split=split,
        dtype=row.dtype,
        n_episodes=row.n_episodes,
        protocol=row.protocol,
        benchmark_set=row.benchmark_set,
        selection=Selection.read(row.selection_rule),
    )


def _rerun_problems(row: Row, results: Results, mine: Row, fresh: Results) -> Iterator[str]:
    if mine.run_id != row.run_id:
        yield f"its spec gives the run {mine.run_id} here"
    if mine.weights_digest != row.weights_digest:
        yield f"its weights are {row.weights_digest[:12]}, here the backbone loads {mine.weights_digest[:12]}"
    other, total = _other_answers(row, results, mine, fresh)
    if other is None:
        yield "its episodes are others when it is run again"
    elif other > total * MOST_OTHER_ANSWERS:
        yield (
            f"run again, {other:,} of {total:,} answers differ: {100 * accuracy(mine):.2f} % here, "
            f"{100 * accuracy(row):.2f} % in the row"
        )
    for name in (column for column in vars(Honesty()) if column in _HONEST):
        if getattr(mine, name) != getattr(row, name):
            yield f"run again, {name} is {getattr(mine, name)!r:.60}, {getattr(row, name)!r:.60} in the row"


def _other_answers(row: Row, results: Results, mine: Row, fresh: Results) -> tuple[int | None, int]:
    """How many answers differ, of how many; None if the episodes differ."""
    ours, theirs = (Predictions.concatenate(list(file.predictions(of))) for file, of in ((fresh, mine), (results, row)))
    if ours.episodes.digest != theirs.episodes.digest:
        return None, 0
    return int((ours.predicted != theirs.predicted).sum()), len(ours.predicted)
