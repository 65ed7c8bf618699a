"""Ways to learn an episode: one file an evaluator, each a frozen dataclass of hyperparameters.

`fit` sees the support of a batch of episodes and gives a head; the head answers queries with logits, in chunks of
any size. Query labels are not among the arguments, so they cannot leak. Adding an evaluator is adding one file
with one class and its `examples()`; the common laws (tests/conformance/test_evaluator_laws.py) test it.

May import: backbones, data sets, episodes, features, plugins, solvers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.episodes.episodes import EpisodeBatch, Items
from fewshot.plugins.fields import Member, Rule
from fewshot.solvers.similarity import cosines, inner_products, unit

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages
    from fewshot.evaluators.tuning.image_rows import ImageRows
    from fewshot.evaluators.tuning.support_views import FurtherViews
    from fewshot.evaluators.tuning.table import FrozenTable

Queries = TypeVar("Queries", contravariant=True)
Places = NDArray[np.int64]  # where vectors stand in a table


class Head(ABC, Generic[Queries]):
    """What was learned from the support of B episodes of N ways."""

    converged: Tensor | None = None  # [B] bool, where the evaluator is iterative: reached its optimum

    @abstractmethod
    def __call__(self, query: Queries) -> Tensor:
        """Logits [B, m, N] of m queries an episode; row by row, whatever the other queries are."""


class Evaluator(Member, ABC, Generic[Items]):
    """A way to learn an episode. Subclasses are frozen dataclasses; fields are stored unchanged."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    needs_support: ClassVar[bool] = True  # False: it solves 0-shot episodes, whose support is [B, 0, D]

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap deterministic instances that the laws are tested on."""

    def n_trials(self) -> int:
        """How many settings of its hyperparameters are compared on the support of every episode: 1, unless it chooses
        there."""
        return 1


class FeatureEvaluator(Evaluator[Tensor]):
    """Learns from feature vectors of a frozen backbone: support [B, S, D], queries [B, m, D] of the same dtype."""

    @abstractmethod
    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        """The heads of B episodes. They depend neither on the other episodes nor on the order of the support.

        What an evaluator cannot learn from (such as one shot) is a ValueError, which the docstring of its class names.
        """

    def fit_path(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One head for every member of a grid of hyperparameters; override it where warm starts pay."""
        return [member.fit(batch) for member in grid]

    def reads_rows(self, vectors: Tensor, n_way: int) -> bool:
        """Whether `fit_rows` is offered for this table of vectors [n, D]: an optional faster way without gathering, for
        an evaluator that needs little time beside it."""
        return False

    def fit_rows(self, vectors: Tensor, batch: EpisodeBatch[Places]) -> Head[Places]:
        """The same heads as `fit`, where support [B, S] and queries [B, m] are given as places in a table of vectors
        [n, D]; asked only where `reads_rows` says so."""
        raise NotImplementedError

    def support_views(self) -> FurtherViews | None:
        """Which views of the support images it learns from beside the images themselves: `batch.support_views`. An
        evaluator that hands its batch on asks for what the other one asks for."""
        return None

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        """Memory an episode needs while it is solved, beside its support and queries: bounds the batch."""
        return 8 * (2 * n_support * (dim + n_way) + dim * n_way)


class ImageEvaluator(Evaluator["ImageRows"]):
    """Tunes the backbone on images: support and queries are ImageRows, decoded in mini-batches at the original
    resolution. The given network is never changed."""

    @abstractmethod
    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        """The tuned networks of B episodes; B is 1 unless the evaluator shares work between episodes."""

    def precompute(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], progress: bool
    ) -> FrozenTable | None:
        """What a run computes once for the images `rows` [n], and its ImageRows carry: of the part of the network that
        stands still. None where there is none, or no room."""
        return None

    def episodes_at_once(self, n_support: int, n_way: int, dim: int, budget_bytes: int) -> int:
        """B, how many episodes to fit together, within a budget of memory."""
        return 1


class TransductiveEvaluator(Evaluator[Tensor]):
    """Sees all queries of an episode at once, without labels; its rows say so."""

    @abstractmethod
    def logits(self, batch: EpisodeBatch[Tensor], query: Tensor, query_mask: Tensor) -> Tensor:
        """Logits [B, M, N] of all queries [B, M, D]."""


@dataclass(frozen=True, eq=False)
class LinearHead(Head[Tensor]):
    """logits = query @ weight + bias, computed in float64 and returned in the queries' dtype."""

    weight: Tensor  # [B, D, N] float64
    bias: Tensor  # [B, N] float64
    converged: Tensor | None = None

    def __call__(self, query: Tensor) -> Tensor:
        logits = inner_products(query, None, self.weight.transpose(1, 2))[0] + self.bias[:, None]
        return logits.to(query.dtype)


@dataclass(frozen=True, eq=False)
class CosineHead(Head[Tensor]):
    """logits = (query / ||query||) @ weight, computed in float64 and returned in the queries' dtype."""

    weight: Tensor  # [B, D, N] float64
    converged: Tensor | None = None

    def __call__(self, query: Tensor) -> Tensor:
        return cosines(query, self.weight.transpose(1, 2)).to(query.dtype)


def an_evaluator_of_features(which: str = "") -> Rule:
    """The rule for the evaluator inside another one; `which` says more of it in words."""
    return Rule(
        f"{' '.join(['an evaluator of features', *which.split()])}, such as LinearProbe()",
        lambda value: isinstance(value, FeatureEvaluator),
    )


def one_hot(batch: EpisodeBatch[Tensor]) -> Tensor:
    """[B, S, N] float64 indicator of each support row's class; zero under the padding."""
    hot = torch.nn.functional.one_hot(batch.support_labels, batch.n_way).double()
    return hot * batch.support_mask[:, :, None]


def class_vectors(batch: EpisodeBatch[Tensor], evaluator: FeatureEvaluator) -> Tensor:
    """[B, N, D] float64 vectors of the class names, of length one; a ValueError where the batch has none."""
    if batch.class_features is None:
        raise ValueError(
            f"{type(evaluator).__name__} compares features with vectors of the class names, but these images have none "
            "of the features' length; use WithClassVectors around the data set, or a file of vectors with class_vectors"
        )
    return unit(batch.class_features.double())
