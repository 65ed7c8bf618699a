"""Measures beyond the accuracy: one file a measure, each a frozen dataclass that reads predictions part by part.

A measure declares its columns and its words as literal class attributes, so that rows, tables and `fewshot list` know
them without importing it. Adding a measure is adding one file; its columns come last in a row, its numbers last in a
table. Everything here is computed from stored predictions; the accuracy is `results.predictions.episode_accuracy`.

A measure of each episode ([E]) has a mean over episodes, and the interval for new classes of
`statistics.intervals.class_interval`; the lowest tenth and the calibration error are computed again without each class.
The accuracy of the lowest class has no interval: it is a minimum, and deleting a class shows only whether it was that
class.

What float16 costs. Confidences and logarithms of probabilities are stored as float16: 11 bits, so a confidence is at
most 0.00025 from what it was (and above 0.99976 it is 1), and a logarithm at most 0.05 % of itself. Roundings go both
ways: a calibration error moves by at most 0.00025, a logarithmic loss by at most 0.05 %. Losses beyond 65504 stand
at 65504. AUROC and average precision rank the logits, which are stored as float32; files of older versions have float16
logits, which tie or swap queries whose probabilities differ by less than that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from fewshot.plugins.fields import Member
from fewshot.results.columns import Value
from fewshot.results.predictions import Predictions
from fewshot.statistics.intervals import Floats, Interval, Units, class_interval


@dataclass(frozen=True, eq=False)
class Whole:
    """What is known of all episodes together once they are read."""

    accuracy: Floats  # [E]
    units: Units  # that every episode holds: classes, or the groups of them that episodes draw
    half_query: float  # half of one query's share in a mean over all queries
    class_names: Sequence[str]  # of every label


class Tally(ABC):
    """What a measure keeps of the predictions that were read: numbers of episodes and counts, never the predictions."""

    @abstractmethod
    def add(self, predictions: Predictions, units: Units) -> None:
        """Counts a part too; `units` are those of its episodes."""

    @abstractmethod
    def values(self, whole: Whole) -> Mapping[str, Value]:
        """The columns, once all parts are counted; one that is left out has no value. It is asked once."""


class Measure(Member, ABC):
    """Predictions to some columns of a row. Members declare these, as literals:

    - `columns`: names and types ("float | None", "int | None" or "str"). The first is the number that tables show; the
      same name with _low and _high are its 95 % interval for new classes.
    - `title`: the heading in tables.
    - `unit`: "%" for a fraction in [0, 1], which people read in percent; else the name of the unit, such as "nats".
    - `better`: "higher" or "lower".
    - `label`: a column with a text that tables show beside the number.
    - `reason`: a column that says why there is no number.

    The first sentence of the docstring is the caption."""

    columns: ClassVar[Mapping[str, str]]
    title: ClassVar[str]
    unit: ClassVar[str]
    better: ClassVar[str]
    label: ClassVar[str] = ""
    reason: ClassVar[str] = ""

    @abstractmethod
    def tally(self, n_units: int) -> Tally:
        """An empty tally for episodes that draw from so many units: classes, or groups of them."""


class EpisodeMeasure(Measure):
    """A measure that every episode has by itself: the mean over the episodes where it is defined, for new classes."""

    @abstractmethod
    def of_episodes(self, predictions: Predictions) -> Floats | None:
        """[E] the measure of each episode, NaN where it is not defined; None where predictions lack what it needs: then
        the whole run goes without it."""

    def tally(self, n_units: int) -> Tally:
        return EpisodeTally(self)


@dataclass(eq=False)
class EpisodeTally(Tally):
    """The measure of every episode."""

    measure: EpisodeMeasure
    parts: list[Floats] | None = field(default_factory=list)  # None: a part lacked what the measure needs

    def add(self, predictions: Predictions, units: Units) -> None:
        found = None if self.parts is None else self.measure.of_episodes(predictions)
        if self.parts is None or found is None:
            self.parts = None
        else:
            self.parts.append(found)

    def values(self, whole: Whole) -> Mapping[str, Value]:
        if self.parts is None:
            return {}
        values, self.parts = np.concatenate(self.parts), None
        known = np.isfinite(values)
        if not known.any():
            return {}
        units = whole.units if known.all() else whole.units.at(known)
        half_query = whole.half_query if self.measure.unit == "%" else None
        return bounded(next(iter(self.measure.columns)), class_interval(values[known], units, half_query=half_query))


def bounded(name: str, found: Interval) -> dict[str, Value]:
    """The columns of a number with its interval: `name`, `name`_low and `name`_high."""
    bounds = (None, None) if found.reason else (found.low, found.high)
    return {name: found.mean if np.isfinite(found.mean) else None, f"{name}_low": bounds[0], f"{name}_high": bounds[1]}
