"""The majority vote of one evaluator of features in several settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, an_evaluator_of_features
from fewshot.evaluators._votes import TIES, VotingHead, voters
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tuning.support_views import FurtherViews
from fewshot.plugins.fields import declare, one_of


@dataclass(frozen=True)
class Vote(FeatureEvaluator):
    """The class that most settings of another evaluator answer. Nothing is chosen, so no label beyond the support is
    used.

    `grid`: fields of `inner` and their values, such as `(("C", (0.1, 1.0, 10.0)),)`; every combination has one vote.
    `ties`: "probability", the class of the highest mean probability among those with most votes; "first", the first
    class of the episode. For evaluators that tune the network: TunedVote.
    """

    short_name: ClassVar[str] = "{inner}, vote over {grid:names}"

    inner: FeatureEvaluator
    grid: tuple[tuple[str, tuple[Any, ...] | str], ...]
    ties: str = "probability"

    rules = declare(inner=an_evaluator_of_features("(TunedVote is for those that tune the network)"), ties=one_of(TIES))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(LinearProbe(), (("C", (0.01, 1.0, 100.0)),)),
            cls(Prototype(), (("metric", ("euclidean", "cosine")),), ties="first"),
        ]

    def members(self) -> list[FeatureEvaluator]:
        """The evaluators that vote, in the order of the grid."""
        return voters(self.inner, self.grid)

    def n_trials(self) -> int:
        return self.inner.n_trials()

    def support_views(self) -> FurtherViews | None:
        kinds = {member.support_views() for member in self.members()}
        if len(kinds) > 1:
            raise ValueError(
                f"Vote shows the same views of the support to every setting, but its grid needs {len(kinds)} kinds of "
                "them; leave the views out of the grid"
            )
        return kinds.pop()

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        return VotingHead(self.inner.fit_grid(batch, self.members()), self.ties)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        heads = 16 * (dim + 1) * n_way * len(self.members())
        return self.inner.working_bytes(n_support, n_way, dim) + heads
