"""Batches of episodes, the noun that evaluators fit.

B episodes in a batch, N ways, S support rows, V views of a support image, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Items = TypeVar("Items", covariant=True)  # vectors for feature evaluators, ImageRows for image evaluators
Other = TypeVar("Other")
_BY_ROW = ("support", "support_labels", "support_mask", "support_views")  # of an EpisodeBatch: [B, S, ...]
_BY_EPISODE = (*_BY_ROW, "seeds", "class_features")  # [B, ...]


@dataclass(frozen=True)
class EpisodeBatch(Generic[Items]):
    """B episodes with the same number of ways, as an evaluator sees them: without queries and query labels.

    Ragged episodes are padded to the largest support; padded items are arbitrary and False in `support_mask`.
    """

    support: Items  # [B, S, D] vectors, or ImageRows of shape [B, S]
    support_labels: Tensor  # [B, S] int64 in [0, n_way); 0 under the padding
    support_mask: Tensor  # [B, S] bool
    n_way: int
    seeds: Tensor  # [B] int64: evaluators draw from these seeds only
    class_features: Tensor | None = None  # [B, N, D] vectors of the class names
    support_views: Tensor | None = None  # [B, S, V, D] V views of each support image, if the evaluator wants them
    watch: Callable[[int, int], None] | None = None  # slow evaluators call it: steps done, steps in all

    def take(self, episodes: Tensor | slice) -> EpisodeBatch[Items]:
        """Some episodes, by position; positions may repeat."""
        if isinstance(episodes, slice):
            return self._with(_BY_EPISODE, lambda held: held[episodes])
        return self._with(_BY_EPISODE, lambda held: held[episodes.to(getattr(held, "device", "cpu"))])

    def take_support(self, order: Tensor) -> EpisodeBatch[Items]:
        """The same episodes with the support rows at the positions `order` [S']: fewer, repeated, in another order."""
        return self._with(_BY_ROW, lambda held: held[:, order])

    def without(self, rows: Tensor) -> EpisodeBatch[Items]:
        """The same episodes without the support rows where `rows` [B, S] is True: they become padding."""
        mask = self.support_mask & ~rows
        return replace(self, support_mask=mask, support_labels=self.support_labels * mask)

    def renamed(self, permutation: Tensor) -> EpisodeBatch[Items]:
        """The same episodes; way n of each becomes way permutation[n]."""
        names = None if self.class_features is None else self.class_features[:, permutation.argsort()]
        return replace(self, support_labels=permutation[self.support_labels] * self.support_mask, class_features=names)

    def seen_as(self, support: Other, support_views: Tensor | None = None) -> EpisodeBatch[Other]:
        """The same episodes with their support [B, S] in another form (rows, vectors or images), and with other further
        views if given."""
        views = self.support_views if support_views is None else support_views
        return replace(cast("EpisodeBatch[Other]", self), support=support, support_views=views)

    def on(self, device: torch.device) -> EpisodeBatch[Items]:
        """The same episodes on a device, for a support of vectors. Seeds stay on the CPU, whose generators use them."""
        names = ("support", "support_labels", "support_mask", "class_features", "support_views")
        held = {name: getattr(self, name) for name in names}
        return replace(self, **{name: value.to(device) for name, value in held.items() if value is not None})

    def views_as_rows(self) -> EpisodeBatch[Tensor]:
        """The same episodes with a support [B, S (1 + V), D]: each row is followed by its views; no views remain."""
        vectors = cast("EpisodeBatch[Tensor]", self)
        if self.support_views is None:
            return vectors
        of_one = 1 + self.support_views.shape[2]
        labels, mask = (held.repeat_interleave(of_one, dim=1) for held in (self.support_labels, self.support_mask))
        support = vectors.support.new_empty(*labels.shape, vectors.support.shape[2])
        support[:, ::of_one] = vectors.support
        for view in range(1, of_one):
            support[:, view::of_one] = self.support_views[:, :, view - 1]
        return replace(vectors, support=support, support_labels=labels, support_mask=mask, support_views=None)

    def _with(self, names: Iterable[str], change: Callable[[Any], Any]) -> EpisodeBatch[Items]:
        held = {name: getattr(self, name) for name in names}
        changed: dict[str, Any] = {name: change(value) for name, value in held.items() if value is not None}
        return replace(self, **changed)
