"""What names a run: everything that should change its number, and nothing else. This file does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fewshot.episodes.shape import EpisodeShape
from fewshot.features.settings import DTYPES
from fewshot.plugins.member_field import MemberField, OptionalMemberField
from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SAMPLERS, SPLITS, TRANSFORMS
from fewshot.results.selection_rule import Selection
from fewshot.runs.defaults import usual_transform


@dataclass(frozen=True)
class Sampled:
    """Episodes of a sampler: episode i is a function of (sampler, shape, seed, i). `seed` is in [0, 2^64)."""

    shape: EpisodeShape = field(default_factory=EpisodeShape)
    seed: int = 0
    sampler: MemberField = MemberField(SAMPLERS, "Balanced()")

    def __post_init__(self) -> None:
        if not isinstance(self.shape, EpisodeShape):
            raise ValueError(
                "the shape of sampled episodes is an EpisodeShape, such as EpisodeShape(n_way=5, k_shot=1, "
                f"n_query=15); got {self.shape!r:.60}"
            )
        if type(self.seed) is not int or not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed must be an integer in [0, 2^64), got {self.seed!r}")

    @property
    def text(self) -> str:
        """The column `sampler` of a row."""
        return self.sampler.text


@dataclass(frozen=True)
class Listed:
    """Episodes from a file that `fewshot episodes make`, `EpisodeList.save` or `Episodes.save` wrote."""

    path: Path

    @property
    def text(self) -> str:
        """The column `sampler` of a row."""
        return f"Listed({str(self.path)!r})"


@dataclass(frozen=True)
class RunSpec:
    """Everything that should change the number of a run. Members may be text, objects or specs; the fields store specs.

    `n_episodes`, `protocol` and `benchmark_set` are not part of the identity: more episodes refine a result, and one
    run may belong to several protocols.
    """

    dataset: MemberField = MemberField(DATASETS)
    backbone: MemberField = MemberField(BACKBONES)
    evaluator: MemberField = MemberField(EVALUATORS)
    episodes: Sampled | Listed = Sampled()
    transform: OptionalMemberField = OptionalMemberField(TRANSFORMS)  # None: the usual one of the evaluator
    classes: str = "novel"
    split: OptionalMemberField = OptionalMemberField(SPLITS)  # None: the data set's default split
    dtype: str = "float32"
    n_episodes: int = 600
    protocol: str = ""
    benchmark_set: str = field(default="", repr=False)  # of the benchmark that `protocol` names
    selection: Selection | None = None  # how the run chooses hyperparameters first; None: it uses the given ones

    def __post_init__(self) -> None:
        if self.transform is None:
            object.__setattr__(self, "transform", usual_transform(self.evaluator))
        if not isinstance(self.episodes, Sampled | Listed):
            raise ValueError(
                "the episodes of a run are Sampled(EpisodeShape(n_way=5, k_shot=1, n_query=15)) or Listed(path); got "
                f"{self.episodes!r:.60}"
            )
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}; known: {', '.join(DTYPES)}")
        if type(self.n_episodes) is not int or self.n_episodes < 1:
            raise ValueError(f"n_episodes must be an integer of at least 1; got {self.n_episodes!r}")
        if self.selection is not None:
            self.selection.check(self.evaluator, self.classes, isinstance(self.episodes, Listed))
