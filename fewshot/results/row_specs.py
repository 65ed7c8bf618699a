"""The specs of a row as objects. Only this file reads their texts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.plugins.short_name import one_line
from fewshot.plugins.spec import Spec
from fewshot.results.selection_rule import Selection

if TYPE_CHECKING:
    from fewshot.results.row import Row

_LONGEST_NAME = 64  # characters


@dataclass(frozen=True)
class RowSpecs:
    """The members that a row names, from any release; their declarations are read without importing them."""

    dataset: Spec
    split: Spec
    backbone: Spec
    transform: Spec
    evaluator: Spec
    sampler: Spec
    selection: Selection | None  # None: hyperparameters as given, or an unreadable rule

    @property
    def from_file(self) -> bool:
        """Whether the episodes come from a file; their classes, ways, shots and queries are then unknown."""
        return bool(self.sampler.declares("from_file"))

    @property
    def is_plainly_balanced(self) -> bool:
        """Whether the episodes are the usual ones, balanced and from all images; titles do not name these."""
        return bool(self.sampler.declares("is_balanced")) and not any(self.sampler.fields.values())

    @property
    def sides(self) -> tuple[object, object]:
        """The image groups of the support and of the queries; None for all images."""
        return self.sampler.fields.get("support_from"), self.sampler.fields.get("query_from")


def specs_of(row: Row) -> RowSpecs:
    """The specs of a row; rows with the same spec share one object."""
    return _read(row.dataset, row.split, row.backbone, row.transform, row.evaluator, row.sampler, row.selection_rule)


def data_name(row: Row) -> str:
    """The name of the data of a row for people: in a benchmark of the field the benchmark's name of the set."""
    return one_line(row.benchmark_set, _LONGEST_NAME) if row.benchmark_set else specs_of(row).dataset.short_name


def data_of(row: Row) -> object:
    """What rows of the same data have in common, wherever it lies: `--data signs` and `--data ./signs/` are one data
    set. Rows that do not know the digest of their images have the text of their data set."""
    if not row.images_digest:
        return row.dataset
    return without_paths(specs_of(row).dataset), row.images_digest


def without_paths(spec: Spec) -> str:
    """The text of a spec without its paths and those of the members inside it: the same on every machine."""
    return _without_paths(spec)


def size(count: int | None, sampler: Spec) -> str:
    """A number of ways or shots in words: "5"; for an open one the word of this sampler, "all" or "variable"."""
    return (sampler.declares("open_size") or "all") if count is None else str(count)


@lru_cache(maxsize=1 << 16)
def _read(dataset: str, split: str, backbone: str, transform: str, evaluator: str, sampler: str, rule: str) -> RowSpecs:
    return RowSpecs(
        DATASETS.read(dataset),
        SPLITS.read(split),
        BACKBONES.read(backbone),
        TRANSFORMS.read(transform),
        EVALUATORS.read(evaluator),
        SAMPLERS.read(sampler),
        Selection.read(rule),
    )


def _without_paths(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_without_paths, value))})"
    if not isinstance(value, Spec):
        return repr(value)
    used = ((p, inner) for p, inner in value.arguments if not (p.is_path or (inner is None and p.is_later)))
    return f"{value.name}({', '.join(f'{p.name}={_without_paths(inner)}' for p, inner in used)})"
