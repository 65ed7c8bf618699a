"""The scale of logits that makes each support row most likely when it is left out of its class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.evaluators._shared_covariance import SharedCovariance, mean_distance

ALONE, BESIDE_NAMES = 20.0, 5.0  # dimensions of the prior; chosen, like its rows, on validation classes of bundled data
_PRIOR_ROWS = 6.0
_NO_SPREAD = 1e-12  # share of all scatter: less between the classes is rounding
_REACH = 7.0  # the scale lies within exp(-7) and exp(7) times its prior
_GRID, _ROUNDS = 17, 3  # scales compared at once; how often the grid shrinks to one of its steps
_AT_ONCE = 1 << 21  # logits
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Chooses the scale of the logits of B episodes: the most likely one for the support rows under a gamma prior.

    Row i of a class of K rows is answered without its share in the mean of its class, and with the covariance without
    its K / (K - 1) z z^T, z the row less its class mean. Its squared distance to its own class is multiplied by
    (K^2 - 1) / K^2: to a mean of K other rows it would be that long on average. Rows of classes with one row have no
    say.
    """

    shared: SharedCovariance
    weight: Tensor  # [B, D, N] the inverse of the covariance times the offsets
    labels: Tensor  # [B, S]
    mask: Tensor  # [B, S]
    others: Tensor  # [B, S or 1, N] logits that are added: of priors, or of class names
    dimensions: float = ALONE  # of the prior

    def scale(self) -> Tensor:
        """[B] the scale: the prior weighs as much as 6 rows."""
        middle = self.prior().log()
        low, high = middle - _REACH, middle + _REACH
        lengths = self._lengths()
        steps = torch.linspace(0, 1, _GRID, dtype=low.dtype, device=low.device)
        for _ in range(_ROUNDS):
            grid = low[:, None] + (high - low)[:, None] * steps
            slopes = self._slopes(grid.exp(), lengths)
            slopes += _PRIOR_ROWS * ((-grid).exp() - (-middle).exp()[:, None])  # falls with the scale
            place = (slopes > 0).sum(1, keepdim=True).clamp(1, _GRID - 1)
            low, high = (grid.gather(1, at)[:, 0] for at in (place - 1, place))
            above, below = (slopes.gather(1, at)[:, 0] for at in (place - 1, place))
        share = (above / (above - below)).clamp(0, 1)  # along the last step, where the slope crosses zero
        return (low + share * (high - low)).exp()

    def prior(self) -> Tensor:
        """[B] the scale at which the mean squared Mahalanobis distance between two classes is d, the effective number
        of dimensions of the support: 1 / d = max(0, tr(T^2) / tr(T)^2 - 1 / (n - 1)) + 1 / dimensions for n rows of
        scatter T. The term 1 / (n - 1) is the share that few rows alone add. 1 if all classes are equal."""
        trace, square, outside = self.shared.traces()
        n = self.shared.sizes.sum(1)
        concentration = square / trace.square().where(trace > 0, 1) - 1 / (n - 1)
        dimensions = 1 / (concentration.clamp_min(0) + 1 / self.dimensions)
        distance = mean_distance(self.shared, self.weight)
        apart = (outside > _NO_SPREAD * trace) & (distance > 0)
        return torch.where(apart, dimensions / distance.where(apart, 1), 1)

    def _lengths(self) -> Tensor:
        """[B, S] the squared Mahalanobis length of every row less its class mean."""
        rows = [
            (part * self.shared.inverse_times(part.transpose(1, 2)).transpose(1, 2)).sum(2)
            for part, _ in self.shared.rows.parts()
        ]
        return torch.cat(rows, 1)

    def _slopes(self, scales: Tensor, lengths: Tensor) -> Tensor:
        """[B, G] the derivative of the log-likelihood of the rows at the scales [B, G]."""
        slopes = torch.zeros_like(scales)
        for behind, others, counted in self._parts(lengths):
            for g in range(scales.shape[1]):
                chances = torch.softmax(behind * scales[:, g, None, None] + others, 2)
                slopes[:, g] -= ((chances * behind).sum(2) * counted).sum(1)
        return slopes

    def _parts(self, lengths: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The logits [B, m, N] of some rows less those of their own class, what is added to them, and [B, m] whether
        they count."""
        sizes = self.shared.sizes.gather(1, self.labels)
        counted = self.mask & (sizes > 1)
        others = self.others.expand(-1, sizes.shape[1], -1)
        size = max(1, _AT_ONCE // max(1, len(sizes) * self.weight.shape[2]))
        for low in range(0, sizes.shape[1], size):
            part = slice(low, low + size)
            if not counted[:, part].any():
                continue
            logits = self._logits(part, lengths[:, part], sizes[:, part].clamp_min(2))
            yield logits - logits.gather(2, self.labels[:, part, None]), others[:, part], counted[:, part]

    def _logits(self, part: slice, lengths: Tensor, sizes: Tensor) -> Tensor:
        """[B, m, N] minus half of the squared distances of rows to the classes without them."""
        labels, z = self.labels[:, part, None], self.shared.rows.part(part.start, part.stop)
        x = z + self.shared.offsets.transpose(1, 2).gather(1, labels.expand(-1, -1, z.shape[2]))
        to_means = (self.shared.offsets * self.weight).sum(1)[:, None]  # [B, 1, N]
        own_mean = to_means.expand(-1, x.shape[1], -1).gather(2, labels)
        across = z @ self.weight
        to_own = across.gather(2, labels)
        length = lengths[:, :, None]
        square = length + 2 * to_own + own_mean - 2 * (x @ self.weight) + to_means
        along = length + to_own - across
        longer = ((sizes + 1) / (sizes - 1)).sqrt()[:, :, None]
        square, along = (
            of_others.scatter(2, labels, of_own)
            for of_others, of_own in ((square, longer.square() * length), (along, longer * length))
        )
        removed = (self.shared.scatter[:, None] * sizes / (sizes - 1))[:, :, None]
        left = (1 - removed * length).clamp_min(_LEAST)
        return -(square + removed / left * along.square()) / 2


def left_out_bytes(n_support: int, n_way: int, dim: int) -> int:
    """Bytes of an episode beyond those of its covariance."""
    at_once = min(n_support, 2048) * dim
    return 8 * (5 * at_once + 6 * min(n_support * n_way, _AT_ONCE))
