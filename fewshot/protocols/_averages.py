"""What a benchmark averages: its rows over sets, and the draws of a set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from statistics import fmean, median

from fewshot.episodes.episodes import EpisodeShape
from fewshot.plugins.spec import Spec
from fewshot.plugins.wording import counted
from fewshot.protocols import Benchmark
from fewshot.protocols._planned import Planned
from fewshot.results.row import Row
from fewshot.runs.specs import RunSpec, Sampled

ALL = "all sets"


@dataclass(frozen=True)
class Average:
    """The mean of one group of sets, for one backbone, method and shape."""

    backbone: str
    method: str
    shape: str
    group: str
    value: float  # a fraction
    half_width: float | None  # of the 95 % interval for these images and sets; None for medians and lone episodes
    sets: tuple[tuple[str, float], ...]  # the name and the number of each set
    of: int  # sets that the benchmark has in this group

    @property
    def n_sets(self) -> int:
        """How many sets it averages."""
        return len(self.sets)

    @property
    def counted(self) -> str:
        """How many of the sets it averages, in words."""
        return f"{self.n_sets} of {counted(self.of, 'set')}"


def averages(benchmark: Benchmark, done: Iterable[tuple[Planned, Row]]) -> list[Average]:
    """The averages of finished runs: of all sets, then of each group of sets."""
    lines: dict[_Line, dict[str, Row]] = {}
    for planned, row in done:
        if value_of(row, benchmark.draws) is not None:
            lines.setdefault(_Line.of(planned.spec), {})[planned.set_name] = row
    return [
        _average(benchmark, line, group, held, n_sets)
        for line, rows in lines.items()
        for group, names, n_sets in _groups(benchmark, line.shape)
        if (held := {name: rows[name] for name in names if name in rows})
    ]


def _average(benchmark: Benchmark, line: _Line, group: str, rows: dict[str, Row], of: int) -> Average:
    """The mean over sets; sets are independent, so the squares of the widths of their intervals add up."""
    values = {name: value for name, row in rows.items() if (value := value_of(row, benchmark.draws)) is not None}
    bounds = [(row.accuracy_low, row.accuracy_high) for row in rows.values()]
    halves = [(high - low) / 2 for low, high in bounds if low is not None and high is not None]
    known = benchmark.draws == "mean" and len(halves) == len(rows)
    half_width = hypot(*halves) / len(rows) if known else None
    return Average(*line.texts, group, fmean(values.values()), half_width, tuple(values.items()), of)


def value_of(row: Row, draws: str) -> float | None:
    """The number of a set: the mean over its episodes, or the median of its draws; None for a failed run."""
    if row.status != "ok" or row.accuracy is None:
        return None
    each = [float(text) for text in row.draws.split()]
    return median(each) if draws == "median" and each else row.accuracy


def _groups(benchmark: Benchmark, shape: EpisodeShape) -> list[tuple[str, tuple[str, ...], int]]:
    """The groups of sets that have episodes of a shape: their names, their sets, and how many these are."""
    having = {one.name for one in benchmark.sets if shape in (one.shapes or benchmark.shapes)}
    every = ((ALL, tuple(one.name for one in benchmark.sets)), *benchmark.groups)
    kept = [(group, tuple(name for name in names if name in having)) for group, names in every]
    return [(group, names, len(names)) for group, names in kept if names]


@dataclass(frozen=True)
class _Line:
    """What the runs of one average share."""

    backbone: Spec
    transform: Spec
    evaluator: Spec
    shape: EpisodeShape
    is_open: bool  # whether the sampler chooses ways and shots that the shape leaves open

    @staticmethod
    def of(spec: RunSpec) -> _Line:
        assert isinstance(spec.episodes, Sampled)
        is_open = spec.episodes.sampler.declares("open_size") == "variable"
        return _Line(spec.backbone, spec.transform, spec.evaluator, spec.episodes.shape, is_open)

    @property
    def texts(self) -> tuple[str, str, str]:
        """Backbone, method and shape in words."""
        method = f"{self.transform.short_name} + {self.evaluator.short_name}"
        return self.backbone.short_name, method, "" if self.is_open else shape_text(self.shape)


def shape_text(shape: EpisodeShape) -> str:
    """The ways and shots in words: "5-way 1-shot", "all-way, all images"."""
    way = "all" if shape.n_way is None else str(shape.n_way)
    return f"{way}-way, all images" if shape.k_shot is None else f"{way}-way {shape.k_shot}-shot"
