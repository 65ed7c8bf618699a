"""Gains of the network's size and of the source's size from rows, by source, target and shots (after Cherti & Jitsev
2021, arXiv 2106.00116)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fewshot.plugins.short_name import short_names
from fewshot.plugins.spec import Spec
from fewshot.scaling.studies.gains import Gain, PairedScore, network_gains, source_gains
from fewshot.scaling.studies.protocols import Head, Target, told_apart
from fewshot.scaling.studies.trained_rows import TrainedRow, two_rows


@dataclass(frozen=True)
class _Training:
    """What trainings have in common whose gains are compared, and the head of their scores."""

    source: str
    head: Head
    n_classes: int
    rule: str
    recipe: Spec


@dataclass(frozen=True)
class SourceGains:
    """What larger networks and more images of one source gain under one head."""

    source: str  # by its classes, rule or recipe too, where several trainings have the same source and head
    head: Head
    gains: tuple[Gain[str], ...]


def gains_of(rows: Iterable[TrainedRow]) -> list[SourceGains]:
    """For each source and head: what the network with the most parameters gains over that with the fewest, and what the
    most images gain over the fewest, paired by the seed of the training. Scores are paired on equal targets only: data
    set, classes, split, sampler, ways and queries. Trainings on other numbers of classes, or by another recipe, are
    sources of their own."""
    scored = [row for row in rows if row.accuracy is not None]
    groups: dict[_Training, list[TrainedRow]] = {}
    for row in scored:
        groups.setdefault(_training(row), []).append(row)
    found = {training: gains for training, own in groups.items() if (gains := _gains(own))}
    return [
        SourceGains(_name(training, found), training.head, tuple(_named(gains))) for training, gains in found.items()
    ]


def read_distances(path: Path) -> dict[tuple[str, str], float]:
    """The unbiased squared MMD of every source and target in what `fewshot distance --json` printed."""
    try:
        lines = json.loads(path.read_text(encoding="utf-8"))["distances"]
        return {(line["source"], line["target"]): float(line["mmd"]) for line in lines}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} holds no distances ({type(error).__name__}: {error}); make it with: fewshot distance --json"
        ) from error


def _training(row: TrainedRow) -> _Training:
    return _Training(row.source, row.head, row.training_classes, row.training_rule, row.recipe)


def _gains(own: Sequence[TrainedRow]) -> list[Gain[Target]]:
    """Of the largest network over the smallest, and of the most images over the fewest."""
    scores = _scores(own)
    params, sizes = (
        sorted({int(value) for value in each}) for each in zip(*((s.network, s.source) for s in scores), strict=True)
    )
    made = network_gains(scores, str(params[0]), str(params[-1])) if len(params) > 1 else []
    return made + (source_gains(scores, str(sizes[0]), str(sizes[-1])) if len(sizes) > 1 else [])


def _scores(own: Sequence[TrainedRow]) -> list[PairedScore[Target]]:
    """One of each training on each target; a ValueError where two rows of one differ."""
    found: dict[PairedScore[Target], TrainedRow] = {}
    for row in own:
        size = (str(row.n_params), str(row.unique_images))
        shots = "all" if row.k_shot is None else str(row.k_shot)
        place = PairedScore(row.target, shots, *size, str(row.training_seed), 0.0)
        if (first := found.setdefault(place, row)).accuracy != row.accuracy:
            raise two_rows(first, row)
    return [replace(place, score=row.accuracy) for place, row in found.items() if row.accuracy is not None]


def _named(gains: Sequence[Gain[Target]]) -> list[Gain[str]]:
    """Gains of one training by the names of their targets, all different."""
    names = told_apart((gain.target for gain in gains), lambda target: target.name)
    return [Gain(**vars(gain) | {"target": names[gain.target]}) for gain in gains]


def _name(training: _Training, among: Collection[_Training]) -> str:
    """The source; with its classes, rule and recipe as far as trainings under the same head differ in them."""
    others = [each for each in among if (each.source, each.head) == (training.source, training.head)]
    details = [f"{training.n_classes} classes"] if len({each.n_classes for each in others}) > 1 else []
    recipes, rules = {each.recipe for each in others}, {each.rule for each in others}
    if len(recipes) > 1:
        details.append(training.rule if len(rules) == len(recipes) else short_names(recipes)[training.recipe])
    return ", ".join([training.source, *details])
