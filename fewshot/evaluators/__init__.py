"""Ways to learn an episode: one file for each evaluator, a frozen dataclass of hyperparameters.

`fit` sees the support of a batch of episodes and gives a head; the head answers queries with logits, in chunks of
any size. Query labels are not among the arguments, so they cannot leak. To add an evaluator, add one file with one
class and its `examples()`; the common laws (tests/conformance/test_evaluator_laws.py) test it.

May import: backbones, data sets, episodes, features, plugins, solvers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch, Items
from fewshot.plugins.fields import Member, Rule
from fewshot.solvers.rounding import shortened
from fewshot.solvers.similarity import cosines, inner_products, unit

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.datasets import LabelledImages
    from fewshot.evaluators.tuning.image_rows import ImageRows
    from fewshot.evaluators.tuning.support_views import FurtherViews
    from fewshot.evaluators.tuning.table import FrozenTable

Queries = TypeVar("Queries", contravariant=True)
Places = NDArray[np.int64]  # rows of a table of vectors


class Head(ABC, Generic[Queries]):
    """A classifier for each of B episodes of N ways, learned from their supports."""

    converged: Tensor | None = None  # [B] bool: the solver reached its optimum; None if it does not iterate
    setting: Tensor | None = None  # [B] the place in the grid of what each episode chose; None if it chooses nothing

    @abstractmethod
    def __call__(self, query: Queries) -> Tensor:
        """Logits [B, m, N] of m queries per episode. Each query is scored independently of the others."""


class Evaluator(Member, ABC, Generic[Items]):
    """A way to learn an episode. Subclasses are frozen dataclasses; fields are stored unchanged."""

    usual_transform: ClassVar[str] = "L2()"  # of the features, if a user names none
    runs_network: ClassVar[bool] = False  # whether it runs the network itself, on images
    short_name: ClassVar[str] = ""  # display name, a template (plugins/short_name.py); "": class and fields
    uses_names: ClassVar[bool] = False  # whether it reads `batch.class_features`, the vectors of the class names
    ignores_support: ClassVar[bool] = False  # whether shots change nothing
    needs_cpu: ClassVar[bool] = False  # whether it computes outside torch, so that its vectors must be on the CPU
    needs_support: ClassVar[bool] = True  # False: it solves 0-shot episodes, whose support is [B, 0, D]

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Self]:
        """Cheap deterministic instances for the laws to test."""

    def n_trials(self) -> int:
        """How many settings of the hyperparameters it compares on the support of each episode: 1 if it chooses none
        there."""
        return 1


class FeatureEvaluator(Evaluator[Tensor]):
    """Learns from feature vectors of a frozen backbone: support [B, S, D], queries [B, m, D] of the same dtype."""

    @abstractmethod
    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        """The heads of B episodes. A head depends neither on other episodes nor on the order of its support.

        A support that the evaluator cannot learn from (such as one shot) is a ValueError; the docstring of the class
        mentions it.
        """

    def fit_path(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One head for each member of a grid of hyperparameters. Override it if warm starts save time; callers call
        `fit_grid`."""
        return [member.fit(batch) for member in grid]

    @final
    def fit_grid(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One head for each member of a grid, by `fit_path` unless a subclass has replaced `fit` alone."""
        if _is_current(type(self), "fit_path"):
            return self.fit_path(batch, grid)
        return [member.fit(batch) for member in grid]

    @final
    def fits_rows(self, vectors: Tensor, n_way: int) -> bool:
        """Whether `fit_rows` works on this table and gives the heads of `fit`: not if a subclass has replaced `fit`
        alone."""
        return _is_current(type(self), "fit_rows") and self.reads_rows(vectors, n_way)

    def reads_rows(self, vectors: Tensor, n_way: int) -> bool:
        """Whether `fit_rows` works on this table of vectors [n, D]. It is optional: it saves gathering the vectors,
        which matters only to fast evaluators."""
        return False

    def fit_rows(self, vectors: Tensor, batch: EpisodeBatch[Places]) -> Head[Places]:
        """The same heads as `fit`, for a support [B, S] and queries [B, m] given as rows of a table of vectors [n, D].
        Called only if `fits_rows` is True."""
        raise NotImplementedError

    def support_views(self) -> FurtherViews | None:
        """The further views of the support images that it needs as `batch.support_views`; None for none. An evaluator
        that contains another one returns the views of the inner one."""
        return None

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        """Bytes that one episode needs while it is solved, besides its support and queries. Limits the batch size."""
        return 8 * (2 * n_support * (dim + n_way) + dim * n_way)


def _is_current(kind: type[FeatureEvaluator], name: str) -> bool:
    """Whether a class got the method `name` from the class that gave it `fit`, or from a later one."""
    order = [next(i for i, base in enumerate(kind.__mro__) if method in vars(base)) for method in (name, "fit")]
    return order[0] <= order[1] or kind.__mro__[order[0]] is FeatureEvaluator


class ImageEvaluator(Evaluator["ImageRows"]):
    """Tunes the backbone on images: support and queries are ImageRows, decoded in mini-batches at the original
    resolution. The given network is never changed."""

    usual_transform: ClassVar[str] = "Identity()"
    runs_network: ClassVar[bool] = True

    @abstractmethod
    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        """The tuned networks of B episodes. B is 1 unless the evaluator shares work between episodes."""

    @property
    def trains_alone(self) -> bool:
        """Whether each episode has a network of its own and `fit` may run in several threads at once, so that small
        episodes run side by side, each on one thread of the processor."""
        return False

    def precompute(
        self, images: LabelledImages, backbone: Backbone, rows: NDArray[np.int64], progress: bool
    ) -> FrozenTable | None:
        """Outputs of the frozen part of the network for the images `rows` [n]. A run computes them once, and its
        ImageRows carry them. None if nothing is frozen, or if memory is short."""
        return None

    def episodes_at_once(self, n_support: int, n_way: int, dim: int, budget_bytes: int) -> int:
        """B, the number of episodes to fit together within a memory budget."""
        return 1


class TransductiveEvaluator(Evaluator[Tensor]):
    """Sees all queries of an episode at once, without labels. Its rows are marked as transductive."""

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
        return shortened(logits, query.dtype)


@dataclass(frozen=True, eq=False)
class CosineHead(Head[Tensor]):
    """logits = (query / ||query||) @ weight, computed in float64 and returned in the queries' dtype."""

    weight: Tensor  # [B, D, N] float64
    converged: Tensor | None = None

    def __call__(self, query: Tensor) -> Tensor:
        return shortened(cosines(query, self.weight.transpose(1, 2)), query.dtype)


def an_evaluator_of_features(which: str = "") -> Rule:
    """The rule for an evaluator inside another one. `which` adds a condition in words."""
    return Rule(
        f"{' '.join(['an evaluator of features', *which.split()])}, such as LinearProbe()",
        lambda value: isinstance(value, FeatureEvaluator),
    )


def one_hot(batch: EpisodeBatch[Tensor]) -> Tensor:
    """[B, S, N] float64 indicator of each support row's class; zero under the padding."""
    hot = torch.nn.functional.one_hot(batch.support_labels, batch.n_way).double()
    return hot * batch.support_mask[:, :, None]


def class_vectors(batch: EpisodeBatch[Tensor], evaluator: FeatureEvaluator) -> Tensor:
    """[B, N, D] float64 unit vectors of the class names. A ValueError if the batch has none."""
    if batch.class_features is None:
        raise ValueError(
            f"{type(evaluator).__name__} compares features with vectors of the class names, but these images have none "
            "of the features' length; use a backbone with a text tower, such as OpenCLIP('ViT-B-16', 'openai'), wrap "
            "the data set in WithClassVectors, or use a vector file with class_vectors"
        )
    return unit(batch.class_features.double())
