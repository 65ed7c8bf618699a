"""The majority vote of one evaluator that tunes the network, in several settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators._votes import TIES, VotingHead, voters
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.tuning.fields import DESCENT
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.table import FrozenTable
from fewshot.plugins.fields import Rule, declare, one_of

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages

_OF_DESCENT = {*DESCENT, "head_lr"}  # fields that leave the frozen part of the network as it is


@dataclass(frozen=True)
class TunedVote(ImageEvaluator):
    """The class that most settings of another evaluator answer, each with a network of its own. Nothing is chosen, so
    no label beyond the support is used.

    FewTrans (Luo et al. 2026, arXiv 2603.00478) lets nine fine-tunings vote, with three learning rates of the network
    and three of the head, in place of a choice on validation images: `TunedVote(FineTune(), (("lr", (1e-5, 5e-5)),
    ("head_lr", (0.002, 0.01))))` for two of each. `ties`: "probability", the class of the highest mean probability
    among those with most votes; "first", the first class of the episode, as in its code. For evaluators of features:
    Vote.
    """

    short_name: ClassVar[str] = "{inner}, vote over {grid:names}"

    inner: ImageEvaluator
    grid: tuple[tuple[str, tuple[Any, ...] | str], ...]
    ties: str = "probability"

    rules = declare(
        inner=Rule(
            "an evaluator that tunes the network, such as FineTune() (Vote is for those of features)",
            lambda value: isinstance(value, ImageEvaluator),
        ),
        ties=one_of(TIES),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        tuned = FineTune(tune="head", steps=30, optimizer="adam")
        return [cls(tuned, (("lr", (0.05, 0.1, 0.2)),)), cls(FineTune(steps=20), (("lr", (0.02, 0.05)),), ties="first")]

    def members(self) -> list[ImageEvaluator]:
        """The evaluators that vote, in the order of the grid."""
        return voters(self.inner, self.grid)

    def n_trials(self) -> int:
        return self.inner.n_trials()

    @property
    def trains_alone(self) -> bool:
        return self.inner.trains_alone

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        return VotingHead([member.fit(batch, backbone) for member in self.members()], self.ties)

    def precompute(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], progress: bool
    ) -> FrozenTable | None:
        """The table of `inner`, if all settings share it; else None."""
        shared = {name for name, _ in self.grid} <= _OF_DESCENT
        return self.inner.precompute(images, backbone, rows, progress) if shared else None

    def episodes_at_once(self, n_support: int, n_way: int, dim: int, budget_bytes: int) -> int:
        return self.inner.episodes_at_once(n_support, n_way, dim, budget_bytes // len(self.members()))
