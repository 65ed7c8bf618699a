"""Benchmarks of the field by name, as data: one file per benchmark, with the constant BENCHMARK.

May import: plugins, episodes, datasets, results; report and runs read it.
A new benchmark: one file; `fewshot list benchmarks` shows the first paragraph of its docstring, and with its name its
page. A file may also hold the constant FEWSHOT: `NAME@fewshot`, with nested draws and every label in the support. NEEDS
and FEWSHOT_NEEDS are the sentences of _needs.py about the two, where there are any.

    _places.py    the copies of data sets below a folder      _counts.py     copies with other counts than the published
    _page.py      what users read about a benchmark           _test_sets.py  data sets that several benchmarks share
    _shapes.py    the shapes of its episodes, in words        _heads.py      its own heads, and others
    _needs.py     what it needs besides images
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.plugins.suggestions import hint

if TYPE_CHECKING:
    from fewshot.datasets._known_sets import Edition
    from fewshot.episodes.shape import EpisodeShape
    from fewshot.results.selection_rule import Selection

OURS = "@fewshot"
NO_SEEN_CLASSES = "no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot."  # the end of a need


@dataclass(frozen=True)
class Place:
    """Where a copy of a data set can lie, and how fewshot reads it.

    `below` is a file or folder below the user's folder; it exists if the copy does. `dataset` is a spec in which {path}
    stands for that file or folder, {folder} for the folder around it, and {root} for the user's folder. `train` and
    `test` are the copy's names of these partitions; `test_beside` says that `below` is a folder of the training
    partition and that of the test partition lies beside it.
    """

    below: str
    dataset: str = "ImageFolderSet({path})"
    train: str = "train"
    test: str = "test"
    test_beside: bool = False


@dataclass(frozen=True)
class Companion:
    """A further file or folder that a set needs, such as the tree of its classes: `name` in the spec of the sampler.

    `places` are below the user's folder, or absolute; {folder} stands for the folder around the copy of the set.
    """

    name: str
    places: tuple[str, ...]
    get: str


@dataclass(frozen=True)
class BenchmarkSet:
    """A data set of a benchmark: its copies, its split and its episodes.

    In `sampler`, {train} and {test} stand for "partition=..." of the copy, and other names for companions.
    """

    name: str
    places: tuple[Place, ...]
    get: str  # where its publisher offers it
    sampler: str = "Balanced()"
    split: str = "AllNovel()"
    classes: str = "novel"
    edition: Edition | None = None  # whose counts its copy must have; None: any
    shapes: tuple[EpisodeShape, ...] = ()  # none: those of the benchmark
    companions: tuple[Companion, ...] = ()


@dataclass(frozen=True)
class Head:
    """How episodes are learned: specs of a transform and an evaluator, and how hyperparameters are chosen."""

    transform: str
    evaluator: str
    selection: Selection | None = None


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of the field: everything that its number depends on except the backbone."""

    name: str
    version: int
    title: str
    source: str  # authors, year, arXiv id
    licence: str
    sets: tuple[BenchmarkSet, ...]
    shapes: tuple[EpisodeShape, ...]
    n_episodes: int
    heads: tuple[Head, ...]
    image_size: int | None = None  # edge in pixels at which the source shows images to networks
    seed: int = 0
    draws: str = "mean"  # or "median": how the episodes of a set become its number
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()  # averages beside that of all sets
    exchangeable: str = "backbone and evaluator"
    deviations: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()  # what only a person with the data can confirm
    expected: tuple[str, ...] = ()  # published numbers

    def sets_with(self, shape: EpisodeShape) -> tuple[BenchmarkSet, ...]:
        """The sets that have episodes of a shape."""
        return tuple(one for one in self.sets if shape in (one.shapes or self.shapes))

    @property
    def protocol(self) -> str:
        """The column `protocol` of its rows, such as "cifar_fs@1"."""
        return f"{self.name}@{self.version}"


def names() -> list[str]:
    """The sorted names of all benchmarks, found without importing them."""
    return sorted(
        f"{path.stem}{ending}"
        for path in Path(__file__).parent.glob("[a-z]*.py")
        for constant, ending in (("BENCHMARK", ""), ("FEWSHOT", OURS))
        if constant in _constants(path)
    )


def summary(name: str) -> str:
    """The first paragraph of a benchmark's docstring, read without importing it."""
    if name.endswith(OURS):
        return f"As {name.removesuffix(OURS)}, but with nested draws and every label in the support."
    return " ".join((ast.get_docstring(_parsed(_file(name))) or "").split("\n\n")[0].split())


def needs_of(name: str) -> tuple[str, ...]:
    """What a user must know before a run, one sentence each, read without importing the benchmark."""
    constant = "FEWSHOT_NEEDS" if name.endswith(OURS) else "NEEDS"
    for node in _parsed(_file(name)).body:
        if isinstance(node, ast.Assign) and constant in _targets(node):
            sentences: tuple[str, ...] = ast.literal_eval(node.value)
            return sentences
    return ()


@cache
def benchmark(name: str) -> Benchmark:
    """The benchmark with this name; an unknown name is a ValueError that lists the known ones."""
    if name not in names():
        raise ValueError(f"unknown benchmark {name!r}; known: {', '.join(names())}.{hint(name, names())}")
    module = importlib.import_module(f"fewshot.protocols.{name.removesuffix(OURS)}")
    found: Benchmark = module.FEWSHOT if name.endswith(OURS) else module.BENCHMARK
    return found


def of_protocol(protocol: str) -> Benchmark | None:
    """The benchmark in a row's column `protocol`, such as "coop@fewshot@1"; None for a suite, and for a version that
    this release does not have."""
    name = protocol.rpartition("@")[0]
    known = benchmark(name) if name in names() else None
    return known if known is not None and known.protocol == protocol else None


def _file(name: str) -> Path:
    return Path(__file__).parent / f"{name.removesuffix(OURS)}.py"


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _constants(path: Path) -> set[str]:
    """The names that a module assigns."""
    assigned = (node for node in _parsed(path).body if isinstance(node, ast.Assign))
    return {name for node in assigned for name in _targets(node)}


def _targets(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}
