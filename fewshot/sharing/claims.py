"""Whether a row that claims a benchmark of the field followed it: every choice that the benchmark fixes."""

from __future__ import annotations

from collections.abc import Iterator

from fewshot import protocols
from fewshot.plugins.registry import SAMPLERS, SPLITS
from fewshot.plugins.spec import Spec
from fewshot.protocols import Benchmark, BenchmarkSet
from fewshot.protocols._heads import OTHER_HEAD, has_own_head
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of, without_paths
from fewshot.sharing.designs import SharedDesign
from fewshot.sharing.members import shape


class OtherVersion(Exception):
    """The row follows a version of the benchmark that this release does not have."""


def claim_problems(row: Row, design: SharedDesign) -> Iterator[str]:
    """Every choice of a benchmark that a row claims and does not have; nothing for rows of suites."""
    known = _claimed(row)
    if known is None:
        return
    named = [one for one in known.sets if one.name == row.benchmark_set]
    if not named:
        yield f"it says {row.protocol}, but its set {row.benchmark_set!r:.40} is none of that benchmark"
        return
    yield from (f"it says {row.protocol}, but {text}" for text in _differences(row, known, named[0], design))


def claim_labels(row: Row) -> list[str]:
    """What a reader should know beside a number of a benchmark: another head, or another image size, than its own."""
    try:
        known = _claimed(row)
    except OtherVersion:
        return []
    if known is None:
        return []
    size = specs_of(row).backbone.fields.get("image_size")
    labels = [] if has_own_head(row, known) else [OTHER_HEAD]
    other = known.image_size is not None and size not in (None, known.image_size)
    return labels + ([f"the benchmark shows {known.image_size} px"] if other else [])


def _claimed(row: Row) -> Benchmark | None:
    """The benchmark that a row claims; None for a suite. An OtherVersion for one that this release does not have."""
    name = row.protocol.rpartition("@")[0]
    if name not in protocols.names():
        return None
    known = protocols.benchmark(name)
    if row.protocol != known.protocol:
        raise OtherVersion(f"its benchmark: this release has {known.protocol}, not {row.protocol:.80}")
    return known


def _differences(row: Row, known: Benchmark, one: BenchmarkSet, design: SharedDesign) -> Iterator[str]:
    if row.seed != known.seed:
        yield f"its seed is {row.seed}, not {known.seed}"
    if row.classes != one.classes:
        yield f"it has {row.classes} classes, not {one.classes} ones"
    if row.split != (split := SPLITS.spec(one.split).text):
        yield f"its split is {row.split or 'the default'}, not {split}"
    if shape(row) not in (one.shapes or known.shapes):
        yield "its ways, shots or queries are others"
    if _sampled(SAMPLERS.read(row.sampler)) not in {_sampled(SAMPLERS.read(text)) for text in _samplers(one)}:
        yield f"its sampler is {row.sampler:.80}"
    if row.n_episodes < known.n_episodes:
        yield f"it has {row.n_episodes:,} episodes, not {known.n_episodes:,}"
    if row.selection_rule and not has_own_head(row, known):
        yield "it chose hyperparameters in another way"
    names = len(design.class_names)
    if names and one.edition is not None and names != one.edition.classes:
        yield f"its images have {names:,} classes, not {one.edition.classes:,}"


def _samplers(one: BenchmarkSet) -> Iterator[str]:
    """The samplers that a benchmark has on the copies of a set."""
    companions = {companion.name: repr(companion.name) for companion in one.companions}
    for place in one.places:
        sides = {side: repr(f"partition={getattr(place, side)}") for side in ("train", "test")}
        yield one.sampler.format(**sides, **companions)


def _sampled(spec: Spec) -> tuple[str, tuple[str, ...]]:
    """A sampler without its paths, and which fields have one."""
    paths = tuple(parameter.name for parameter, value in spec.arguments if parameter.is_path and value is not None)
    return without_paths(spec), paths
