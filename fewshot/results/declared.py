"""The declarations of measures, read from their source: rows and tables need columns and words, not code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fewshot.plugins.registry import MEASURES
from fewshot.plugins.signature import Signature
from fewshot.results.columns import Value

# Rows hold these columns in this order; columns of other measures follow, by the name of the measure.
_FIRST = (
    "lowest_class",
    "lowest_class_accuracy",
    "lowest_tenth",
    "lowest_tenth_low",
    "lowest_tenth_high",
    "macro_f1",
    "macro_f1_low",
    "macro_f1_high",
    "log_loss",
    "log_loss_low",
    "log_loss_high",
    "calibration_error",
    "calibration_error_low",
    "calibration_error_high",
    "auroc",
    "auroc_low",
    "auroc_high",
    "average_precision",
    "average_precision_low",
    "average_precision_high",
    "ranking_reason",
    "mean_per_class",
    "mean_per_class_low",
    "mean_per_class_high",
)
_DEFAULTS: Mapping[str, Value] = {"float | None": None, "int | None": None, "str": ""}  # by column type
_WORDS = ("columns", "title", "unit", "better", "label", "reason", "limits")


@dataclass(frozen=True)
class Declared:
    """A measure's columns and its words for people; `fewshot.measures.Measure` describes them."""

    name: str
    caption: str
    columns: Mapping[str, str]
    title: str
    unit: str
    better: str
    label: str = ""
    reason: str = ""
    limits: tuple[float | None, float | None] = (None, None)  # of the number, for a unit other than "%"

    @property
    def number(self) -> str:
        """The column that tables show."""
        return next(iter(self.columns))

    @property
    def bounds(self) -> tuple[str, str] | None:
        """The columns of its interval; None if it has none."""
        low, high = f"{self.number}_low", f"{self.number}_high"
        return (low, high) if low in self.columns and high in self.columns else None

    @staticmethod
    def of(signature: Signature) -> Declared:
        """The declaration in a measure's signature; a ValueError if something is missing or wrong."""
        own, given = f"the measure {signature.name}", signature.declared
        for name in ("columns", "title", "unit", "better"):
            if name not in given:
                raise ValueError(f"{own} declares no {name}; give it as a literal in the class body")
        found = Declared(signature.name, signature.sentence, **{name: given[name] for name in _WORDS if name in given})
        if problem := found._problem():
            raise ValueError(f"{own} {problem}")
        return found

    def _problem(self) -> str:
        kinds, known = list(self.columns.values()), ", ".join(self.columns)
        if not kinds:
            return "has no columns; name at least one"
        if wrong := [kind for kind in kinds if kind not in _DEFAULTS]:
            return f"has a column of the type {wrong[0]!r}; write one of {', '.join(map(repr, _DEFAULTS))}"
        if kinds[0] == "str":
            return f"has the text {self.number!r} as its first column; put the number first"
        if self.better not in ("higher", "lower"):
            return f"must say better='higher' or 'lower', got {self.better!r}"
        return f"has no column {self.label!r} for its label, only {known}" if {self.label} - {"", *self.columns} else ""


@cache
def declared() -> tuple[Declared, ...]:
    """All registered measures in the order of their columns; a ValueError if two of them share a column name."""
    found = [Declared.of(MEASURES.signature(name)) for name in MEASURES.names()]
    owners: dict[str, str] = {}
    for measure in found:
        for column in measure.columns:
            if column in owners:
                both = f"{owners[column]} and {measure.name}"
                raise ValueError(f"the measures {both} both have a column {column!r}; rename one")
            owners[column] = measure.name
    return tuple(sorted(found, key=lambda measure: _place(measure.number)))


@cache
def measure_columns() -> dict[str, str]:
    """The type of every measure column, as text, in the order of the file."""
    found = {column: kind for measure in declared() for column, kind in measure.columns.items()}
    return {column: found[column] for column in sorted(found, key=_place)}


@cache
def measure_defaults() -> dict[str, Value]:
    """The default of every measure column, for rows that lack it."""
    return {column: _DEFAULTS[kind] for column, kind in measure_columns().items()}


def _place(column: str) -> int:
    return _FIRST.index(column) if column in _FIRST else len(_FIRST)
