"""What pre-training is worth in labelled images: effective data transferred (Hernandez et al. 2021, arXiv 2102.01293).

D_F: images of the target. D_E: images that a network of the same size needs from scratch for the same loss, read from
its from-scratch curve after an isotonic fit of log loss, interpolated in log-log. D_T = D_E - D_F; multiplier D_E /
D_F. Law of the low-data regime: D_T = k D_F^alpha N^beta, N the size of the network.

Curves are not extrapolated: a loss below the end of a curve has a D_E of at least D_max (censored), and a loss above
its beginning a D_E of at most D_min. D_T <= 0 ("ossification") means that pre-training hurts; it is counted, never
clipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.scaling.laws import Floats

FEWEST_SIZES, FEWEST_DATA = 3, 5  # of networks and of target sets, below which the law is not fitted
MEASURED, AT_LEAST, AT_MOST = "measured", "at least", "at most"


@dataclass(frozen=True)
class ScratchCurve:
    """Loss over images of a network trained from scratch, made monotone by an isotonic fit."""

    images: Floats  # [n], rising
    losses: Floats  # [n], not rising

    @staticmethod
    def of(images: Floats, losses: Floats) -> ScratchCurve:
        """The curve through points [n]. Losses at equal numbers of images (seeds) are first averaged in log."""
        from sklearn.isotonic import IsotonicRegression

        sizes, place = np.unique(images, return_inverse=True)
        counts = np.bincount(place)
        mean = np.bincount(place, weights=np.log(losses)) / counts
        falling = IsotonicRegression(increasing=False).fit_transform(np.log(sizes), mean, sample_weight=counts)
        return ScratchCurve(sizes, np.exp(falling))

    def effective_images(self, loss: float) -> tuple[float, str]:
        """D_E of a loss, and whether it is measured or a bound. On a flat part it is the fewest images."""
        if loss < self.losses[-1]:
            return float(self.images[-1]), AT_LEAST
        if loss > self.losses[0]:
            return float(self.images[0]), AT_MOST
        after = int(np.argmax(self.losses <= loss))  # the first point at or below the loss
        if after == 0 or self.losses[after] == loss:
            return float(self.images[after]), MEASURED
        log_images, log_losses = np.log(self.images[after - 1 : after + 1]), np.log(self.losses[after - 1 : after + 1])
        share = (np.log(loss) - log_losses[0]) / (log_losses[1] - log_losses[0])
        return float(np.exp(log_images[0] + share * (log_images[1] - log_images[0]))), MEASURED


@dataclass(frozen=True)
class Transferred:
    """What pre-training is worth at one point."""

    size: float  # of the network, N; 1 if there is only one size
    images: float  # D_F
    loss: float
    effective: float  # D_E, or its bound
    bound: str  # the kind of D_E: "measured", "at least" or "at most"

    @property
    def transferred(self) -> float:
        """D_T, negative where pre-training hurts."""
        return self.effective - self.images

    @property
    def multiplier(self) -> float:
        """D_E / D_F."""
        return self.effective / self.images

    @property
    def fraction(self) -> float:
        """D_T / D_E: the share of effective data that came from pre-training."""
        return self.transferred / self.effective

    @property
    def ossified(self) -> bool:
        """Whether pre-training is known not to help: D_T <= 0, measured or as an upper bound."""
        return self.transferred <= 0 and self.bound != AT_LEAST

    @property
    def role(self) -> str:
        """The role of a point in the regression: "fitted", "censored" (a lower bound of D_T), or "left out"."""
        if self.bound == AT_LEAST:
            return "censored" if self.transferred > 0 else "left out"
        return "fitted" if self.bound == MEASURED and self.transferred > 0 else "left out"


def effective_data(
    sizes: Floats,
    images: Floats,
    losses: Floats,
    pretrained: Sequence[bool] | np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> list[Transferred]:
    """One entry for every pre-trained point, from arrays [n]: network size, images, loss, and whether a point is
    pre-trained. The other points are the from-scratch curves, one per size. Raises a ValueError if a size has none."""
    tuned = np.asarray(pretrained, bool)
    if not tuned.any() or tuned.all():
        kind = "pre-trained" if not tuned.any() else "from-scratch"
        raise ValueError(f"effective data needs pre-trained and from-scratch points, but there are no {kind} ones")
    curves = {}
    for size in np.unique(sizes[tuned]):
        own = (sizes == size) & ~tuned
        if len(np.unique(images[own])) < 2:
            raise ValueError(
                f"effective data needs a from-scratch curve with 2 or more numbers of images, but that of network size "
                f"{size:g} has {len(np.unique(images[own]))}; measure more"
            )
        curves[size] = ScratchCurve.of(images[own], losses[own])
    return [
        Transferred(float(n), float(d), float(loss), *curves[n].effective_images(float(loss)))
        for n, d, loss in zip(sizes[tuned], images[tuned], losses[tuned], strict=True)
    ]


def regime(curve: ScratchCurve, share: float = 0.99) -> float:
    """D(N): the images at which log loss has fallen by `share` of its whole fall. The end of the measured curve stands
    for infinite data. The law is for D_F below a tenth of D(N)."""
    log_losses = np.log(curve.losses)
    wanted = log_losses[0] + share * (log_losses[-1] - log_losses[0])
    return curve.effective_images(float(np.exp(wanted)))[0]
