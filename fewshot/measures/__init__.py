"""Measures beyond the accuracy: one file a measure, each a frozen dataclass that reads predictions part by part.

A measure declares its columns and its words as literal class attributes, so that rows, tables and `fewshot list` know
them without importing it. To add a measure, add one file; its columns come last in a row, its numbers last in a table.
Everything here is computed from stored predictions; the accuracy is `results.predictions.episode_accuracy`.

A measure with one value per episode ([E]) is their mean, with the interval for new classes of
`statistics.class_intervals.class_interval`; the lowest tenth and the calibration error are computed again without each
class. The accuracy of the lowest class has no interval: it is a minimum, and deleting a class shows only whether it was
that class.

What float16 costs. Confidences and logarithms of probabilities are stored as float16: 11 bits, so a confidence is at
most 0.00025 off (above 0.99976 it is 1), and a logarithm at most 0.05 % of itself. Roundings go both ways: a
calibration error moves by at most 0.00025, a logarithmic loss by at most 0.05 %. Losses above 65504 are stored as
65504. AUROC and average precision rank the logits, which are stored as float32. In files of older versions they are
float16, which ties or swaps queries whose probabilities differ by less than that.
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
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.interval import FRACTION, Floats, Interval, Limits
from fewshot.statistics.units import Units


@dataclass(frozen=True, eq=False)
class Whole:
    """What measures need from all episodes together, after all of them were read."""

    accuracy: Floats  # [E]
    units: Units  # that every episode holds: classes, or the groups of them that episodes draw
    half_query: float  # half of one query's share in a mean over all queries
    class_names: Sequence[str]  # of every label


class Tally(ABC):
    """The running summary that a measure keeps: one number per episode and counts, never the predictions."""

    @abstractmethod
    def add(self, predictions: Predictions, units: Units) -> None:
        """Adds a part of the predictions; `units` holds the units of its episodes."""

    @abstractmethod
    def values(self, whole: Whole) -> Mapping[str, Value]:
        """The columns, after all parts were added; a column without a value is left out. Called once."""


class Measure(Member, ABC):
    """Turns predictions into some columns of a row. Members declare these, as literals:

    - `columns`: names and types ("float | None", "int | None" or "str"). The first is the number that tables show; the
      same name with _low and _high are its 95 % interval for new classes.
    - `title`: the heading in tables.
    - `unit`: "%" for a fraction in [0, 1], which tables show in percent; else the name of the unit, such as "nats".
    - `limits`: for another unit, the lowest and the highest value of the number, None without one. Intervals stay
      inside the limits, and those of a fraction inside 0 and 1.
    - `better`: "higher" or "lower".
    - `label`: a text column that tables show beside the number.
    - `reason`: a text column with the reason if there is no number.

    The first sentence of the docstring is the caption."""

    columns: ClassVar[Mapping[str, str]]
    title: ClassVar[str]
    unit: ClassVar[str]
    limits: ClassVar[Limits] = (None, None)
    better: ClassVar[str]
    label: ClassVar[str] = ""
    reason: ClassVar[str] = ""

    @classmethod
    def range(cls) -> Limits:
        """The lowest and the highest value of the number."""
        return FRACTION if cls.unit == "%" else cls.limits

    @abstractmethod
    def tally(self, n_units: int) -> Tally:
        """An empty tally for episodes that sample from `n_units` units: classes, or groups of them."""


class EpisodeMeasure(Measure):
    """A measure with one value per episode: the mean over the episodes that have one, for new classes."""

    @abstractmethod
    def of_episodes(self, predictions: Predictions) -> Floats | None:
        """[E] the measure of each episode, NaN where it is undefined; None if these predictions lack the arrays that it
        needs, which leaves the whole run without it."""

    def tally(self, n_units: int) -> Tally:
        return EpisodeTally(self)


@dataclass(eq=False)
class EpisodeTally(Tally):
    """The measure of every episode so far."""

    measure: EpisodeMeasure
    parts: list[Floats] | None = field(default_factory=list)  # None: a part lacked an array that the measure needs

    def add(self, predictions: Predictions, units: Units) -> None:
        values = None if self.parts is None else self.measure.of_episodes(predictions)
        if self.parts is None or values is None:
            self.parts = None
        else:
            self.parts.append(values)

    def values(self, whole: Whole) -> Mapping[str, Value]:
        if self.parts is None:
            return {}
        values, self.parts = np.concatenate(self.parts), None
        known = np.isfinite(values)
        if not known.any():
            return {}
        units = whole.units if known.all() else whole.units.at(known)
        half_query = whole.half_query if self.measure.range() == FRACTION else None
        return with_bounds(self.measure, class_interval(values[known], units, half_query=half_query))


def with_bounds(measure: Measure | type[Measure], interval: Interval) -> dict[str, Value]:
    """The columns of a measure's number and of its interval for new classes, inside the range of the measure."""
    name, inside = next(iter(measure.columns)), interval.inside(measure.range())
    low, high = (None, None) if inside.reason else (inside.low, inside.high)
    return {name: inside.mean if np.isfinite(inside.mean) else None, f"{name}_low": low, f"{name}_high": high}
