"""The cost of trainings, before they start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fewshot.backbones import BackboneSource
from fewshot.backbones.pretrained import Pretrained
from fewshot.plugins.registry import BACKBONES
from fewshot.pretraining._record import without_seed
from fewshot.pretraining.trainer import Trainer


@dataclass(frozen=True)
class PlannedTraining:
    """One missing training of one recipe."""

    spec: str
    n_images: int
    n_classes: int
    n_steps: int
    n_passes: int  # images through the network, forwards and backwards
    folder: str
    rate_key: str  # trainings of one key have the same speed


def planned_trainings(sources: Iterable[BackboneSource], trainer: Trainer) -> list[PlannedTraining]:
    """The missing trainings, each once, in the order they run: the start of a network, its trials, then itself.

    Data that does not fit raises a ValueError. This trains nothing.
    """
    planned: dict[str, PlannedTraining] = {}
    for source in sources:
        for missing in _missing(source):
            key = BACKBONES.canonical(missing)
            if key not in planned:
                planned[key] = _planned(missing, trainer)
    return list(planned.values())


def _missing(source: BackboneSource) -> list[Pretrained]:
    if not isinstance(source, Pretrained) or source.weights.is_file():
        return []
    trials = source.recipe.trials()
    if list(trials) != [source.recipe]:
        return [m for trial in trials for m in _missing(replace(source, recipe=trial))]
    return [*_missing(source.network), source]


def _planned(source: Pretrained, trainer: Trainer) -> PlannedTraining:
    train, recipe = trainer.material(source).train, source.recipe
    n_steps = recipe.schedule().n_steps(len(train))
    per_step = min(recipe.images_per_step, len(train)) * recipe.passes_per_image
    return PlannedTraining(
        spec=BACKBONES.canonical(source),
        n_images=len(train),
        n_classes=len(train.class_names),
        n_steps=n_steps,
        n_passes=n_steps * per_step,
        folder=str(source.folder),
        rate_key=rate_key(source),
    )


def rate_key(source: Pretrained) -> str:
    """The key of a training's speed in seconds per image: its network and its recipe. Caches on disk hold it."""
    start = source.network
    while isinstance(start, Pretrained):
        start = start.network
    recipe = type(source.recipe.trials()[0]).__name__
    return f"train {without_seed(start)} {recipe}"
