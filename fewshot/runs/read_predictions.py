"""What scores need of predictions, kept while their parts are read one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.episodes import Episodes
from fewshot.measures import Tally, Whole
from fewshot.measures._per_image import ImageAnswers
from fewshot.plugins.registry import MEASURES
from fewshot.results.columns import Value
from fewshot.results.declared import declared
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.runs.design import Design
from fewshot.statistics.interval import Integers
from fewshot.statistics.units import Units


@dataclass(eq=False)
class ReadPredictions:
    """The values kept of predictions."""

    design: Design
    kept: dict[str, list[Any]] = field(default_factory=dict)  # arrays of every part, by name
    by_image: ImageAnswers = field(default_factory=ImageAnswers)
    n_not_converged: int = 0
    n_queries: int = 0
    settings: list[Integers | None] = field(default_factory=list)  # what the episodes of every part chose
    tallies: list[Tally] = field(init=False)  # of all registered measures

    def __post_init__(self) -> None:
        measures = (MEASURES.make(measure.name) for measure in declared())
        self.tallies = [measure.tally(self.design.n_units) for measure in measures]

    def episodes(self, parts: Iterable[Predictions]) -> Iterator[Episodes]:
        """The episodes of the parts, each measured before the next is read."""
        for part in parts:
            self._add(part)
            yield part.episodes
            del part  # before the next is read

    def _add(self, part: Predictions) -> None:
        design, episodes = self.design, part.episodes
        units = Units(design.place(episodes.classes), episodes.n_way, design.n_units)
        new = {
            "accuracy": episode_accuracy(part),
            "held": units.held,
            "n_way": units.n_way,
            "pools": design.pools_of(episodes.index),
        }
        for name, array in new.items():
            self.kept.setdefault(name, []).append(array)
        self.by_image.add(part)
        for tally in self.tallies:
            tally.add(part, units)
        self.n_not_converged += int((~part.converged).sum())
        self.n_queries += len(part.predicted)
        self.settings.append(part.setting)

    def whole(self, name: str) -> NDArray[Any]:
        """The kept values of all parts as one array; this frees them."""
        return np.concatenate(self.kept.pop(name))

    def choices(self) -> str:
        """How many episodes chose each setting, as JSON; "" where they chose none."""
        known = [setting for setting in self.settings if setting is not None]
        if not known or len(known) < len(self.settings):
            return ""
        return json.dumps(np.bincount(np.concatenate(known)).tolist())

    def measures(self, whole: Whole) -> dict[str, Value]:
        """The columns of all measures. This frees each tally after use, the last one first: the lowest tenth, which
        needs the most memory, is among the first."""
        values: dict[str, Value] = {}
        while self.tallies:
            values |= self.tallies.pop().values(whole)
        return values
