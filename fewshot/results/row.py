"""A row: one flat line of JSON with everything that is stored of a run beside its predictions."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fewshot.files.regular import parsed_json
from fewshot.plugins.short_name import one_line
from fewshot.plugins.wording import counted
from fewshot.results.columns import Columns, Cost, Digests, Honesty, Provenance, RunName, Score, SpecColumns, Training
from fewshot.results.declared import measure_columns, measure_defaults
from fewshot.results.resources import Resources
from fewshot.results.rules import check_intervals, check_value, short

_LONGEST = 60  # characters of a value in a repr
_SPEC = tuple(field.name for field in dataclasses.fields(SpecColumns))
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "None": (type(None),),
}


@dataclass(frozen=True, repr=False)
class Row(Resources, Provenance, Digests, Cost, Training, Honesty, Score, SpecColumns, RunName):
    """A run: its spec, measures and provenance. Columns are in the order of the groups, the last base first; `measures`
    has every column of every registered measure (fewshot/measures)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", {**measure_defaults(), **self.measures})

    @staticmethod
    def of(*groups: Columns) -> Row:
        """The row with these groups of columns. The last group wins; columns of absent groups take their defaults. A
        row is a group too: a row and a group give that row with new columns."""
        return Row(**{name: value for group in groups for name, value in vars(group).items()})

    def __repr__(self) -> str:
        """One line: backbone, transform and evaluator, data, shape and accuracy."""
        sizes = [f"{count}-{noun}" for count, noun in ((self.n_way, "way"), (self.k_shot, "shot")) if count is not None]
        named = [self.backbone, f"{self.transform} + {self.evaluator}", self.dataset, " ".join(sizes)]
        about = ", ".join(one_line(text, _LONGEST) for text in named if text)
        if self.status != "ok" or self.accuracy is None:
            return f"Row({about}: {self.status} {one_line(self.error, 2 * _LONGEST)})"
        low, high = self.accuracy_low, self.accuracy_high
        bounds = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
        return f"Row({about}: {100 * self.accuracy:.1f} %{bounds}, {counted(self.n_episodes, 'episode')})"

    @property
    def spec(self) -> tuple[Any, ...]:
        """The columns of the spec; a failed attempt has the same ones as its run."""
        return tuple(getattr(self, name) for name in _SPEC)

    def columns(self) -> dict[str, Any]:
        """Every column in the order of the file, with the columns of measures."""
        found: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if name == "measures":
                found |= value
            else:
                found[name] = value
        return found

    def to_json(self) -> str:
        """One line of JSON; NaN becomes null, and characters that are not Unicode (in file names) become "?"."""
        values = self.columns().items()
        clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values}
        return json.dumps(clean, ensure_ascii=False).encode(errors="replace").decode()

    @staticmethod
    def from_json(line: str) -> Row:
        """The row in a line of any release: absent columns take their defaults, unknown columns are dropped. A
        ValueError for anything else."""
        values = parsed_json(line, parse_constant=_refuse_constant)
        if not isinstance(values, Mapping) or not isinstance(values.get("run_id"), str):
            raise ValueError("not a row: no run_id")
        check_run_id(values["run_id"])
        own: dict[str, Any] = {}
        measures: dict[str, Any] = {}
        for name, (kind, types, of_measure) in known_columns().items():
            if name in values:
                value = values[name]
                if type(value) not in types:
                    raise ValueError(f"column {name} should be {kind}, found {short(value)}")
                (measures if of_measure else own)[name] = _text(value) if isinstance(value, str) else value
                check_value(name, kind, value)
        check_intervals(values)
        return Row(**own, measures=measures)


def _text(value: str) -> str:
    """The text, shared with equal ones; characters that are not Unicode become "?"."""
    return sys.intern(value if value.isascii() else value.encode(errors="replace").decode())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"not a row: {name} is not JSON")


def check_run_id(run_id: str) -> None:
    """Raises a ValueError unless a run id can be the name of a folder: a row names no other place on the disk."""
    if not run_id or run_id in (".", "..") or len(run_id.encode(errors="replace")) > 255 or set(run_id) & set("/\\\0"):
        raise ValueError(f"a run id must be the name of a folder, found {run_id[:80]!r}")


_NAMES = tuple(field.name for field in dataclasses.fields(Row))


@cache
def known_columns() -> dict[str, tuple[str, frozenset[type], bool]]:
    """For every column: its type as text, the JSON types that it accepts, and whether a measure declares it. A
    ValueError if measures declare columns that a row cannot have."""
    own = {field.name: str(field.type) for field in dataclasses.fields(Row) if field.name != "measures"}
    twice = own.keys() & measure_columns().keys()
    if twice:
        raise ValueError(f"a measure has a column {min(twice)!r}, which every row has; rename the measure's")
    known = [(name, kind, False) for name, kind in own.items()]
    known += [(name, kind, True) for name, kind in measure_columns().items()]
    return {name: (kind, _types(kind), of_measure) for name, kind, of_measure in known}


def _types(annotation: str) -> frozenset[type]:
    return frozenset(kind for part in annotation.split(" | ") for kind in _TYPES[part])
