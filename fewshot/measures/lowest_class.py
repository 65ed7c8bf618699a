"""The class with the lowest accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fewshot.measures import Measure, Tally, Whole
from fewshot.measures._per_class import ClassAccuracy, lowest_class
from fewshot.results.columns import Value
from fewshot.results.predictions import Predictions
from fewshot.statistics.units import Units


@dataclass(frozen=True)
class LowestClass(Measure):
    """The accuracy of the class with the lowest accuracy. It is over the episodes that hold the class; as a minimum it
    has no interval, and it is lower the fewer episodes a class has."""

    columns: ClassVar = {"lowest_class_accuracy": "float | None", "lowest_class": "str"}
    title = "lowest class"
    unit = "%"
    better = "higher"
    label = "lowest_class"

    def tally(self, n_units: int) -> Tally:
        return _Tally()


@dataclass(eq=False)
class _Tally(Tally):
    by_class: ClassAccuracy = field(default_factory=ClassAccuracy)

    def add(self, predictions: Predictions, units: Units) -> None:
        self.by_class.add(predictions)

    def values(self, whole: Whole) -> Mapping[str, Value]:
        lowest = lowest_class(self.by_class)
        if lowest is None:
            return {}
        return {"lowest_class": whole.class_names[lowest[0]], "lowest_class_accuracy": lowest[1]}
