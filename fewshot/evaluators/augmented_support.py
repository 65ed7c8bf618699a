"""Another evaluator on several augmented views of each support image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tuning.support_views import FurtherViews
from fewshot.evaluators.tuning.views import AUGMENTS
from fewshot.plugins.fields import SEED, Rule, declare, integer, one_of


@dataclass(frozen=True)
class AugmentedSupport(FeatureEvaluator):
    """The inner evaluator on `views` views of each support image, each a row of its class: the image as it is, and
    `views` - 1 random ones. Queries are not augmented.

    RFS (Tian et al. 2020, arXiv 2003.11539) tiles the support five times with the augmentation of its training. Here
    the first view is plain (there all five are random), and the views of an image are the same in every episode: they
    depend on `seed` and its row, so each is embedded once. A sum over rows, such as the loss that C of LinearProbe
    weighs, becomes a sum over views: five views with C = 1 weigh the support like one view with C = 5. Compare with
    that before crediting the views.

    `augment`: "flip", "crop", "crop+flip" or "crop+flip+colour"; a crop has at least half of the image's area,
    brightness, contrast and saturation are times 0.6 to 1.4, and images whose orientation matters are not flipped.
    Data sets of vectors have no views. CrossValidated around it holds out an image with all of its views. Inside it,
    CrossValidated would hold out views of training images: that is an error.
    """

    short_name: ClassVar[str] = "{inner} on {views} views ({augment})"

    inner: FeatureEvaluator
    views: int = 5
    augment: str = "crop+flip"
    seed: int = 0

    rules = declare(
        inner=Rule(
            "an evaluator of features that neither chooses hyperparameters on the support (put CrossValidated around "
            "AugmentedSupport) nor needs views itself, such as LinearProbe()",
            lambda inner: (
                isinstance(inner, FeatureEvaluator) and inner.n_trials() == 1 and inner.support_views() is None
            ),
        ),
        views=integer(1),
        augment=one_of([augment for augment in AUGMENTS if augment != "none"]),
        seed=SEED,
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [cls(LinearProbe(), views=3), cls(Prototype(), views=3)]

    def support_views(self) -> FurtherViews | None:
        return FurtherViews(self.views - 1, self.augment, self.seed) if self.views > 1 else None

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        """The inner heads on all views. A ValueError if the batch does not hold as many views."""
        return self.inner.fit(self._tiled(batch))

    def fit_path(self, batch: EpisodeBatch[Tensor], grid: Sequence[Self]) -> list[Head[Tensor]]:
        """One path of inner evaluators for each class and number of views, on one tiled support."""
        heads: dict[Self, Head[Tensor]] = {}
        for kind in {(member.views, type(member.inner)) for member in grid}:
            members = [member for member in grid if (member.views, type(member.inner)) == kind]
            tiled = members[0]._tiled(batch)
            path = members[0].inner.fit_grid(tiled, [member.inner for member in members])
            heads |= dict(zip(members, path, strict=True))
        return [heads[member] for member in grid]

    def _tiled(self, batch: EpisodeBatch[Tensor]) -> EpisodeBatch[Tensor]:
        """The batch with a support [B, S views, D], the views of an image one after the other."""
        further = 0 if batch.support_views is None else batch.support_views.shape[2]
        if further != self.views - 1:
            raise ValueError(
                f"{self!r} learns from {self.views - 1} further views of each support image, but the batch holds "
                f"{further}; an evaluator around it must return them from its own support_views()"
            )
        return batch.views_as_rows()

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        """The views and the tiled support as float32 and float64, and the bytes of the inner evaluator."""
        n_rows = n_support * self.views
        return n_rows * (16 * dim + 24 * n_way) + self.inner.working_bytes(n_rows, n_way, dim)
