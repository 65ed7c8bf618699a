"""BiT-HyperRule: fine-tuning with all hyperparameters set by the sizes of the support and of its images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head, ImageEvaluator
from fewshot.evaluators.tuning import BATCHNORMS, Tuning
from fewshot.evaluators.tuning.descent import Descent
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.inputs import held_in_order
from fewshot.evaluators.tuning.schedules import learning_rates
from fewshot.evaluators.tuning.tuned_head import tune_each
from fewshot.plugins.fields import POSITIVE, declare, integer, one_of

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

VARIANTS = ("paper", "code")
_SMALL, _LARGE = 20_000, 500_000  # support images: limits between the three schedules
_PAPER_STEPS = (500, 10_000, 20_000)
_CODE_STEPS = (
    (100, 200, 300, 400, 500),
    (500, 3000, 6000, 9000, 10_000),
    (500, 6000, 12_000, 18_000, 20_000),
)  # end of warm-up, three drops, last step
_LOW_AREA = 96 * 96  # pixels; smaller images are tuned at a low resolution
_MIXUP = 0.1
_OWN = integer(1).worded("an integer of at least 1, or None for the rule's")


@dataclass(frozen=True)
class BigTransfer(ImageEvaluator):
    """BiT-HyperRule (Kolesnikov et al. 2020, arXiv 1912.11370): the whole network and a head that starts at zero, SGD
    with momentum 0.9 and no weight decay, batches of 512. The support decides the rest.

    500 steps below 20 000 support images, 10 000 below 500 000, else 20 000. `variant` "paper": the rate is divided by
    10 at 30, 60 and 90 % of the steps; "code": as in the authors' code, it climbs from 0 over the first 100 steps (500
    in a larger support), and drops after steps 200, 300, 400 (3000, 6000, 9000; 6000, 12 000, 18 000). MixUp with alpha
    0.1 from 20 000 images on. Images below 96 x 96 pixels are resized to 160 x 160 and cropped to 128 at
    random, others 448 and 384 ("code": 512 and 480), and flipped; queries are resized to the crop's size. Inputs are in
    [-1, 1] for every network. A batch larger than the support is sampled with replacement.

    The authors' low-memory variant is `batch_size=128, lr=0.001`. `max_steps`, `resize` and `crop` depart from
    the rule: the same schedule in fewer steps, and other sizes, for networks of a fixed size and for a slow machine.
    Turn crop or flip off if it destroys the label; images whose orientation matters are never flipped. Deviations: the
    image size is the median area of the support, theirs was the data set's; a batch continues into the next shuffle of
    the support; BatchNorm keeps its statistics unless `batchnorm` is "support".
    """

    variant: str = "paper"
    lr: float = 0.003
    batch_size: int = 512
    max_steps: int | None = None
    resize: int | None = None
    crop: int | None = None
    random_crop: bool = True
    flip: bool = True
    batchnorm: str = "frozen"

    rules = declare(
        variant=one_of(VARIANTS),
        lr=POSITIVE,
        batch_size=integer(1),
        max_steps=_OWN,
        resize=_OWN,
        crop=_OWN,
        batchnorm=one_of(BATCHNORMS),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(max_steps=20, batch_size=16, lr=0.1, crop=8, random_crop=False, flip=False),
            cls(variant="code", max_steps=20, batch_size=8, lr=0.1, resize=8, crop=8, flip=False),
        ]

    @property
    def trains_alone(self) -> bool:
        return True

    def fit(self, batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Head[ImageRows]:
        return tune_each(batch, [self._way(batch, e, backbone) for e in range(len(batch.support))])

    def rates(self, n_support: int) -> list[float]:
        """The learning rate of each step for a support of `n_support` images."""
        size = (n_support >= _SMALL) + (n_support >= _LARGE)
        rates = learning_rates("step", self.lr, _PAPER_STEPS[size])
        if self.variant == "code":
            rates = [_rate_of_code(self.lr, step, _CODE_STEPS[size]) for step in range(_CODE_STEPS[size][-1])]
        steps = min(len(rates), self.max_steps or len(rates))
        return [rates[step * len(rates) // steps] for step in range(steps)]

    def mixup(self, n_support: int) -> float:
        """MixUp's alpha; 0 for none."""
        return _MIXUP if n_support >= _SMALL else 0.0

    def sizes(self, area: float) -> tuple[int, int]:
        """(resize, crop) in pixels for images of `area` pixels."""
        large = (448, 384) if self.variant == "paper" else (512, 480)
        resize, crop = (160, 128) if area < _LOW_AREA else large
        return self.resize or resize, self.crop or crop

    def _way(self, batch: EpisodeBatch[ImageRows], episode: int, backbone: Backbone) -> tuple[Backbone, Tuning]:
        """The rule applied to an episode: its preprocessing and its training."""
        order = held_in_order(batch.support, batch.support_mask, episode)
        resize, crop = self.sizes(_median_area(batch.support, episode, order))
        if resize < crop:
            raise ValueError(f"BigTransfer cannot crop {crop} pixels from {resize}; give both resize= and crop=")
        _check_size(backbone, crop)
        n = len(order)

        def view(image: Image.Image, uniform: NDArray[np.float64], orientation_matters: bool) -> Tensor:
            picture = _random_crop(image, resize, crop, uniform) if self.random_crop else _square(image, crop)
            if self.flip and uniform[4] < 0.5 and not orientation_matters:
                picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            return _as_input(picture)

        seen = dataclasses.replace(backbone, preprocess=lambda image: _as_input(_square(image, crop)))
        return seen, Tuning(
            change=lambda network, _: list(network.parameters()),
            descent=Descent(self.rates(n)),
            batch_size=self.batch_size,
            replacement=True,
            batchnorm=self.batchnorm,
            view=view,
            mixup=self.mixup(n),
        )


def _rate_of_code(lr: float, step: int, marks: tuple[int, ...]) -> float:
    if step < marks[0]:
        return lr * step / marks[0]
    return lr / 10.0 ** sum(step > mark for mark in marks[1:-1])


def _median_area(support: ImageRows, episode: int, order: Tensor) -> float:
    areas = [image.width * image.height for p in order.tolist() for image in support.decode(episode, [p])]
    return float(np.median(areas))


def _check_size(backbone: Backbone, crop: int) -> None:
    """Raises a ValueError if the network cannot take images of this size."""
    try:
        backbone.embed(torch.zeros(2, 3, crop, crop, device=backbone.device))
    except (AssertionError, RuntimeError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"{backbone.name} cannot take images of {crop} x {crop} pixels, which BiT-HyperRule needs ({first}); "
            "give BigTransfer a resize= and a crop= that the network can take"
        ) from error


def _square(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR)


def _random_crop(image: Image.Image, resize: int, crop: int, uniform: NDArray[np.float64]) -> Image.Image:
    left, top = (int(number * (resize - crop + 1)) for number in uniform[2:4])
    return _square(image, resize).crop((left, top, left + crop, top + crop))


def _as_input(image: Image.Image) -> Tensor:
    """[3, H, W] float32 in [-1, 1]."""
    return torch.from_numpy(np.asarray(image, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)
