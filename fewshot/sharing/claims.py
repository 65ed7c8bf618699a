"""Whether a row that claims a benchmark of the field followed it: every choice that the benchmark fixes."""

from __future__ import annotations

import re
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

_PROTOCOL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?:@fewshot)?@(?:0|[1-9][0-9]{0,8})")


class OtherVersion(Exception):
    """The row follows a version of the benchmark that this release does not have."""


def claim_problems(row: Row, design: SharedDesign) -> Iterator[str]:
    """Every choice of a benchmark that a row claims and does not have; nothing for rows of suites."""
    if problem := _name_problem(row):
        yield problem
        return
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
        return [f"{row.protocol} not checked"]
    if known is None:
        return []
    size = specs_of(row).backbone.fields.get("image_size")
    labels = [] if has_own_head(row, known) else [OTHER_HEAD]
    other = known.image_size is not None and size not in (None, known.image_size)
    return labels + ([f"the benchmark shows {known.image_size} px"] if other else [])


def other_version(row: Row) -> str:
    """That this release cannot check the version of the benchmark that a row claims, in words; "" if it can."""
    try:
        _claimed(row)
    except OtherVersion as error:
        return str(error).removeprefix("its benchmark: ")
    return ""


def _name_problem(row: Row) -> str:
    """Why the column `protocol` is no name of a benchmark or suite with its version; "" if it is one, and for none.

    A suite of one's own is named as in Python, such as "my_suite@1". What differs from a benchmark of the field in
    case or punctuation alone is none of one's own.
    """
    name, _, _ = row.protocol.rpartition("@")
    if row.protocol and not _PROTOCOL.fullmatch(row.protocol):
        return (
            f"column protocol should be the name of a benchmark or suite with its version, such as cifar_fs@1, found "
            f"{row.protocol!r:.80}"
        )
    of_field = {_letters(known): known for known in protocols.names()}
    wanted = of_field.get(_letters(name))
    if wanted is not None and wanted != name:
        return f"column protocol should spell the benchmark {wanted} as it is, found {row.protocol!r:.80}"
    if wanted is None and row.benchmark_set:
        return (
            f"column benchmark_set is {row.benchmark_set!r:.40}, but {row.protocol or 'no protocol'!r:.80} is no "
            "benchmark of the field, which alone has named sets"
        )
    return ""


def _letters(name: str) -> str:
    """The letters and digits of a name, in small letters."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _claimed(row: Row) -> Benchmark | None:
    """The benchmark that a row claims; None for a suite. An OtherVersion for one that this release does not have."""
    name = row.protocol.rpartition("@")[0]
    if name not in protocols.names():
        return None
    known = protocols.benchmark(name)
    if row.protocol != known.protocol:
        raise OtherVersion(f"its benchmark: this release has {known.protocol}, not {row.protocol}")
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
