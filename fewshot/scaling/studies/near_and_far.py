"""Gains by network size and by source size from rows, for every source, target and shots (after Cherti & Jitsev 2021,
arXiv 2106.00116)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from fewshot.files.quoting import message, quoted
from fewshot.files.regular import parsed_json, read_text
from fewshot.plugins.short_name import short_names
from fewshot.plugins.spec import Spec
from fewshot.scaling.studies.gains import Gain, PairedScore, network_gains, source_gains
from fewshot.scaling.studies.protocols import Head, Target, unique_names
from fewshot.scaling.studies.trained_rows import TrainedRow, two_rows


@dataclass(frozen=True)
class _Training:
    """What trainings share if their scores are compared, and the head of the scores."""

    source: str
    head: Head
    n_classes: int
    rule: str
    recipe: Spec


@dataclass(frozen=True)
class SourceGains:
    """What larger networks and more images of one source gain under one head."""

    source: str  # with classes, rule or recipe if several trainings share source and head
    head: Head
    gains: tuple[Gain[str], ...]


def gains_of(rows: Iterable[TrainedRow]) -> list[SourceGains]:
    """The gains for each source and head, paired by training seed: the network with the most parameters over that with
    the fewest, and the most images over the fewest.

    Scores are paired only on equal targets: data set, classes, split, sampler, ways and queries. Trainings with another
    number of classes or another recipe are separate sources.
    """
    scored = [row for row in rows if row.accuracy is not None]
    groups: dict[_Training, list[TrainedRow]] = {}
    for row in scored:
        groups.setdefault(_training(row), []).append(row)
    by_training = {training: gains for training, own in groups.items() if (gains := _gains(own))}
    return [
        SourceGains(_name(training, by_training), training.head, tuple(_named(gains)))
        for training, gains in by_training.items()
    ]


def read_distances(path: Path) -> dict[tuple[str, str], float]:
    """The unbiased squared MMD of every source and target in the output of `fewshot distance --json`."""
    try:
        lines = parsed_json(read_text(path, "table of distances"))["distances"]
        return {(line["source"], line["target"]): _finite(line["mmd"]) for line in lines}
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        reason = f"{type(error).__name__}: {message(error)}"
        raise ValueError(f"{path} holds no distances ({reason}); write it with: fewshot distance --json") from error


def _finite(value: Any) -> float:
    """A distance; a ValueError for NaN and infinity, which JSON's 1e999 becomes too."""
    distance = float(value)
    if not isfinite(distance):
        raise ValueError(f"a distance must be finite, found {quoted(value)}")
    return distance


def _training(row: TrainedRow) -> _Training:
    return _Training(row.source, row.head, row.training_classes, row.training_rule, row.recipe)


def _gains(own: Sequence[TrainedRow]) -> list[Gain[Target]]:
    """The gains of the largest network over the smallest, and of the most images over the fewest."""
    scores = _scores(own)
    params, sizes = (
        sorted({int(value) for value in each}) for each in zip(*((s.network, s.source) for s in scores), strict=True)
    )
    gains = network_gains(scores, str(params[0]), str(params[-1])) if len(params) > 1 else []
    return gains + (source_gains(scores, str(sizes[0]), str(sizes[-1])) if len(sizes) > 1 else [])


def _scores(own: Sequence[TrainedRow]) -> list[PairedScore[Target]]:
    """One score of each training on each target. Raises a ValueError if two rows of one training differ."""
    scores: dict[PairedScore[Target], TrainedRow] = {}
    for row in own:
        size = (str(row.n_params), str(row.unique_images))
        shots = "all" if row.k_shot is None else str(row.k_shot)
        place = PairedScore(row.target, shots, *size, str(row.training_seed), 0.0)
        if (first := scores.setdefault(place, row)).accuracy != row.accuracy:
            raise two_rows(first, row)
    return [replace(place, score=row.accuracy) for place, row in scores.items() if row.accuracy is not None]


def _named(gains: Sequence[Gain[Target]]) -> list[Gain[str]]:
    """Gains of one training with the names of their targets, all different."""
    names = unique_names((gain.target for gain in gains), lambda target: target.name)
    return [Gain(**vars(gain) | {"target": names[gain.target]}) for gain in gains]


def _name(training: _Training, among: Collection[_Training]) -> str:
    """The source, with its classes, rule or recipe if trainings with the same head differ in them."""
    others = [each for each in among if (each.source, each.head) == (training.source, training.head)]
    details = [f"{training.n_classes} classes"] if len({each.n_classes for each in others}) > 1 else []
    recipes, rules = {each.recipe for each in others}, {each.rule for each in others}
    if len(recipes) > 1:
        details.append(training.rule if len(rules) == len(recipes) else short_names(recipes)[training.recipe])
    return ", ".join([training.source, *details])
