"""The means of a benchmark of the field over its data sets: the only place that computes them.

rows -> one backbone and head on the sets of a benchmark at one shape -> the mean of all sets, and of each group of sets

A mean over fewer sets than the benchmark has names those that are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

from fewshot import protocols
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.wording import counted, listed
from fewshot.protocols import Benchmark
from fewshot.protocols._heads import head_label
from fewshot.protocols._shapes import shape_text
from fewshot.report.rows.contenders import Contender, Name, contender, contender_names
from fewshot.report.rows.errors import NEW_TEST_IMAGES, TestImages, error_of
from fewshot.report.rows.intervals import Bounds, bracket
from fewshot.report.rows.tasks import measured
from fewshot.results.comparability import benchmark as benchmark_of
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.interval import THESE_IMAGES
from fewshot.statistics.two_means import Error, difference

ALL = "all sets"
MOST_NAMES = 4  # of missing sets in a line


@dataclass(frozen=True)
class Average:
    """The mean of one group of sets, for one backbone, method and shape."""

    benchmark: str  # with its version, such as "vtab_1k@1"
    backbone: str
    method: str
    shape: str
    group: str
    value: float  # a fraction
    half_width: float | None  # of the 95 % interval; None for medians, and where a set has no error
    population: str  # that the interval is for; "" without one
    sets: tuple[tuple[str, float], ...]  # the name and the number of each set
    missing: tuple[str, ...]  # sets of the group without a number
    label: str = ""  # if the head is not the benchmark's own

    @property
    def bounds(self) -> Bounds | None:
        """The 95 % interval, within 0 and 1."""
        if self.half_width is None:
            return None
        return max(0.0, self.value - self.half_width), min(1.0, self.value + self.half_width)

    @property
    def bracket(self) -> str:
        """The interval in %, such as "[83.9, 85.1]"; "" without one. Every reader shows this text."""
        return bracket(self.bounds)

    @property
    def text(self) -> str:
        """The mean in % with its interval, such as "84.5 [83.9, 85.1]"."""
        return f"{100 * self.value:.1f} {self.bracket}".rstrip()

    @property
    def n_sets(self) -> int:
        """How many sets it averages."""
        return len(self.sets)

    @property
    def of(self) -> int:
        """How many sets the benchmark has in this group."""
        return len(self.sets) + len(self.missing)

    @property
    def is_whole(self) -> bool:
        """Whether this is the benchmark's number: no set is missing."""
        return not self.missing

    @property
    def counted(self) -> str:
        """How many of the sets it averages, in words."""
        return counted(self.of, "set") if self.is_whole else f"{self.n_sets} of {counted(self.of, 'set')}"

    @property
    def described(self) -> str:
        """The group, how many of its sets this averages, and which are missing."""
        name = "all" if self.group == ALL else f"{self.group},"
        if self.is_whole and self.of == 1:
            return "its only set" if self.group == ALL else f"{name} {self.counted}"
        if self.is_whole:
            return f"{name} {self.counted}"
        without = listed(list(self.missing)) if len(self.missing) <= MOST_NAMES else counted(len(self.missing), "set")
        return f"{'' if self.group == ALL else name} {self.counted}, without {without}".strip()


@dataclass(frozen=True)
class SetMean:
    """A mean over sets with the errors of its parts; none for medians, and where a set has no error."""

    value: float  # a fraction
    errors: tuple[Error, ...] = ()
    source: str = ""  # of the errors, in words
    population: str = ""  # that they are for


@dataclass(frozen=True, eq=False)
class SetRuns:
    """The runs of one contender on the sets of a benchmark, at one shape."""

    benchmark: Benchmark
    shape: EpisodeShape
    contender: Contender
    rows: Mapping[str, Row]  # by the name of the set, in the order of the benchmark; at least one

    @property
    def is_open(self) -> bool:
        """Whether the sampler chooses ways and shots that the shape leaves open."""
        return bool(specs_of(next(iter(self.rows.values()))).sampler.declares("open_size") == "variable")

    @property
    def shape_text(self) -> str:
        """The shape in words; "" where the sampler chooses it."""
        return "" if self.is_open else shape_text(self.shape)

    @property
    def label(self) -> str:
        """That the head is not the benchmark's own; "" if it is."""
        return head_label(next(iter(self.rows.values())))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of all sets that the benchmark has at this shape."""
        return tuple(one.name for one in self.benchmark.sets_with(self.shape))

    @property
    def missing(self) -> tuple[str, ...]:
        """The sets without a run."""
        return tuple(name for name in self.wanted if name not in self.rows)

    def values(self) -> dict[str, float]:
        """The number of each set."""
        return {name: value_of(row, self.benchmark.draws) for name, row in self.rows.items()}

    def group(self, name: str) -> list[str]:
        """The sets of a group that the benchmark has at this shape; of all sets for ALL."""
        names = dict(self.benchmark.groups).get(name, ()) if name != ALL else self.wanted
        return [one for one in names if one in self.wanted]

    def mean(self, names: Iterable[str], n_test: TestImages) -> SetMean:
        """The mean over those of these sets that have a run, with its error: the sets are independent."""
        held, values = [name for name in names if name in self.rows], self.values()
        mean, each = fmean(values[name] for name in held), [error_of(self.rows[name], n_test) for name in held]
        known = [one for one in each if one is not None]
        if self.benchmark.draws != "mean" or len(known) < len(each):
            return SetMean(mean)
        errors = tuple(Error(error.standard_error / len(each), error.freedom) for error, _, _ in known)
        words, populations = (tuple(dict.fromkeys(texts)) for texts in list(zip(*known, strict=True))[1:])
        source = words[0] if len(words) == 1 else f"from {words[0]} to {words[-1]}"
        return SetMean(mean, errors, f"{counted(len(each), 'set')}, each with {source}", " and ".join(populations))

    def averages(self, names: Name, n_test: TestImages) -> list[Average]:
        """The mean of all sets, then of each group; groups without a run are left out. `names`: of backbone and
        method."""
        groups = [(name, self.group(name)) for name in (ALL, *dict(self.benchmark.groups))]
        return [self._average(names, name, held, n_test) for name, held in groups if set(held) & set(self.rows)]

    def _average(self, names: Name, group: str, wanted: list[str], n_test: TestImages) -> Average:
        mean, values = self.mean(wanted, n_test), self.values()
        half, population = None, ""
        interval = difference(mean.value, 0.0, mean.errors, mean.population)
        if interval.high > interval.low:  # equal draws prove nothing
            half, population = interval.high - mean.value, mean.population
        sets = tuple((name, values[name]) for name in wanted if name in values)
        missing = tuple(name for name in wanted if name not in values)
        return Average(
            self.benchmark.protocol,
            *names,
            self.shape_text,
            group,
            mean.value,
            half,
            population,
            sets,
            missing,
            self.label,
        )


def set_runs(rows: Iterable[Row]) -> list[SetRuns]:
    """The runs of every benchmark among the rows: benchmarks and contenders in order of appearance, the shapes of each
    in the order of the benchmark. Of two rows of one set the last counts."""
    groups: dict[tuple[str, Contender], dict[EpisodeShape, dict[str, Row]]] = {}
    for row in rows:
        if row.benchmark_set and benchmark_of(row) and measured(row):
            shape = EpisodeShape(row.n_way, row.k_shot, row.n_query, row.k_shot_at_most)
            by_shape = groups.setdefault((row.protocol, contender(row)), {})
            by_shape.setdefault(shape, {})[row.benchmark_set] = row
    found = []
    for (protocol, one), by_shape in groups.items():
        benchmark = protocols.of_protocol(protocol)
        if benchmark is None:
            continue
        for shape in _shapes(benchmark):
            held = by_shape.get(shape, {})
            ordered = {each.name: held[each.name] for each in benchmark.sets_with(shape) if each.name in held}
            found += [SetRuns(benchmark, shape, one, ordered)] if ordered else []
    return found


def _shapes(benchmark: Benchmark) -> Iterable[EpisodeShape]:
    """Every shape of its episodes, once."""
    return dict.fromkeys(shape for one in benchmark.sets for shape in one.shapes or benchmark.shapes)


def averages(rows: Iterable[Row], n_test: TestImages) -> list[Average]:
    """The means of every benchmark, contender and shape among the rows: of all sets, then of each group of sets."""
    runs = set_runs(rows)
    names = contender_names(row for one in runs for row in one.rows.values())
    return [average for one in runs for average in one.averages(names[one.contender], n_test)]


def value_of(row: Row, draws: str) -> float:
    """The number of a set: the mean over its episodes, or the median of its draws."""
    each = [float(text) for text in row.draws.split()]
    assert row.accuracy is not None  # rows without one are no runs of a benchmark
    return median(each) if draws == "median" and each else row.accuracy


def explained(population: str) -> str:
    """The population of an interval, with what it holds fixed."""
    if population == NEW_TEST_IMAGES:
        return "new test images of these sets, after training on the same images"
    return "other episodes of these sets" if population == THESE_IMAGES else population
