"""The commands that recreate the runs of a submission, no more and no fewer, and the names in them that stand for
places on the reader's machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from fewshot import protocols
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.wording import listed
from fewshot.protocols import Benchmark, Head
from fewshot.protocols._heads import is_head
from fewshot.report.rows.origins import command, method_options, words
from fewshot.report.rows.typed import quoted, typed_backbone
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.sharing.cleaning import cleaned, last_name
from fewshot.sharing.members import shape

ROOT = "ROOT"  # in the commands of benchmarks
_DIGITS = 12  # of a digest
_MEANINGS = {
    "dataset": "the data",
    "split": "the file of the class split",
    "backbone": "a file of the backbone",
    "transform": "a file of the transform",
    "evaluator": "a file of the evaluator",
    "sampler": "a file or folder of the sampler",
}


@dataclass(frozen=True)
class Recreation:
    """Commands, and the names in them that stand for places on the reader's machine, each with what lies there."""

    commands: tuple[str, ...]
    places: tuple[tuple[str, str], ...]


def recreation(rows: Sequence[Row]) -> Recreation:
    """The commands that recreate these cleaned rows: of a benchmark for its sets that have all shapes and heads, and of
    a single run for every other row."""
    left, found, named = {row.run_id: row for row in rows}, [], dict[str, None]()
    for known, group in _groups(rows):
        for covered, text in _of_benchmark(known, group):
            left = {run_id: row for run_id, row in left.items() if run_id not in covered}
            found.append(text)
            named[known.name] = None
    alone = list(left.values())
    texts = dict.fromkeys(cleaned(text) for text in [*found, *map(_alone, alone)])
    roots = [(ROOT, f"the folder that holds the data sets of {listed(list(named))}")] if named else []
    return Recreation(tuple(texts), (*roots, *_places(alone)))


def command_of(row: Row) -> str:
    """The command of one cleaned row; that of a benchmark names its set."""
    known = protocols.of_protocol(row.protocol)
    if known is None or not row.benchmark_set:
        return cleaned(_alone(row))
    return cleaned(f"{command(row)}{_sets(known, [row.benchmark_set])}")


def _alone(row: Row) -> str:
    """The command of a single run: a suite or a benchmark would compute further runs."""
    return command(replace(row, protocol="", benchmark_set=""))


def _groups(rows: Iterable[Row]) -> list[tuple[Benchmark, list[Row]]]:
    """The rows of each benchmark with one backbone."""
    groups: dict[tuple[str, str, str], tuple[Benchmark, list[Row]]] = {}
    for row in rows:
        known = protocols.of_protocol(row.protocol)
        if known is not None and row.benchmark_set:
            groups.setdefault((row.protocol, row.backbone, row.dtype), (known, []))[1].append(row)
    return list(groups.values())


def _of_benchmark(known: Benchmark, rows: Sequence[Row]) -> Iterator[tuple[set[str], str]]:
    """Commands of a benchmark, each with the runs that it computes, all of which are among the rows: first with the
    benchmark's own heads, then with each other head."""
    start, one = f"fewshot run --benchmark {quoted(known.name)} --data {ROOT}", rows[0]
    sets, covered = _complete(known, rows, [partial(_has_head, head) for head in known.heads])
    if sets:
        dtype = ("--dtype", one.dtype) if one.dtype not in ("float32", "") else ()
        options = [("--backbone", typed_backbone(specs_of(one).backbone)), dtype]
        yield covered, " ".join([start, *words(options)]) + _sets(known, sets)
    rows = [row for row in rows if row.run_id not in covered]
    for one in {(row.transform, row.evaluator): row for row in rows if not row.selection_rule}.values():
        sets, covered = _complete(known, rows, [partial(_has_method, one)])
        if sets:
            yield covered, " ".join([start, *words(method_options(one))]) + _sets(known, sets)


def _has_head(head: Head, row: Row) -> bool:
    return is_head(row, head)


def _has_method(one: Row, row: Row) -> bool:
    return (row.transform, row.evaluator, row.selection_rule) == (one.transform, one.evaluator, "")


def _complete(
    known: Benchmark, rows: Sequence[Row], heads: Sequence[Callable[[Row], bool]]
) -> tuple[list[str], set[str]]:
    """The sets of a benchmark of which these rows hold every shape with every one of these heads, and the runs."""
    runs = {one.name: _runs(one.shapes or known.shapes, _of_set(rows, one.name), heads) for one in known.sets}
    return [name for name, held in runs.items() if held], set[str]().union(*runs.values())


def _of_set(rows: Iterable[Row], name: str) -> list[Row]:
    return [row for row in rows if row.benchmark_set == name]


def _runs(shapes: Iterable[EpisodeShape], rows: Sequence[Row], heads: Sequence[Callable[[Row], bool]]) -> set[str]:
    """The runs of a set with all shapes and heads; empty unless there is one of each."""
    found: set[str] = set()
    for each, fits in product(shapes, heads):
        fitting = [row.run_id for row in rows if shape(row) == each and fits(row)]
        if len(fitting) != 1:
            return set()
        found.add(fitting[0])
    return found


def _sets(known: Benchmark, names: Sequence[str]) -> str:
    """The options that name these sets; "" for all sets of the benchmark."""
    if len(names) == len(known.sets):
        return ""
    return "".join(f" --set {quoted(name)}" for name in names)


def _places(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """The names of files and folders in the specs of these rows, and what each is."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for column, meaning in _MEANINGS.items():
            digest = f" (images digest {row.images_digest[:_DIGITS]})" if column == "dataset" else ""
            for path in getattr(specs_of(row), column).paths:
                found.setdefault(last_name(str(path)), {})[f"{meaning}{digest}"] = None
    return [(name, listed(list(meanings))) for name, meanings in found.items()]
