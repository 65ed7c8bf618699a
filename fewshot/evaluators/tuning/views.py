"""Random views of images and MixUp. A view depends only on (seed, step, place in the mini-batch), or on (seed, row of
the data set, number of the view)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from scipy.special import betaincinv

from fewshot.episodes import draws, streams

AUGMENTS = ("none", "flip", "crop", "crop+flip", "crop+flip+colour")
_DRAWS = 12  # crop 0-3, flip 4, colour 5-7, MixUp 8-9
_LEAST_AREA = 0.5  # share of the image in a crop
_ASPECT = math.log(4 / 3)  # the largest stretch of a crop, either way
_COLOUR = 0.4  # brightness, contrast and saturation are 1 -+ this


def draw(seed: int, step: int, n: int) -> NDArray[np.float64]:
    """[n, 12] uniform numbers in [0, 1) for the places of a mini-batch; a smaller mini-batch gets the first ones."""
    uniform: NDArray[np.float64] = draws.words(seed, np.array([step]), n, _DRAWS, streams.VIEWS)[0] / 2.0**32
    return uniform


def draw_of_row(seed: int, row: int, number: int) -> NDArray[np.float64]:
    """[12] uniform numbers in [0, 1) for one view of an image, by its row, the same in every episode."""
    words = draws.words(seed, np.array([row]), number + 1, _DRAWS, streams.SUPPORT_VIEWS)
    uniform: NDArray[np.float64] = words[0, number] / 2.0**32
    return uniform


def mixing(uniform: NDArray[np.float64], alpha: float) -> tuple[float, NDArray[np.int64]]:
    """MixUp of a mini-batch (Zhang et al. 2018, arXiv 1710.09412): one share for all rows, from Beta(alpha, alpha), and
    the place of each row's partner, which has the rest."""
    share = float(betaincinv(alpha, alpha, uniform[0, 9]))
    return share, np.argsort(uniform[:, 8], kind="stable")


def view(image: Image.Image, augment: str, uniform: NDArray[np.float64], orientation_matters: bool) -> Image.Image:
    """A view of the same size as the image, from uniform numbers [12].

    "crop": a part of at least half the area, stretched by at most 4/3, resized to the size of the image; "flip": left
    to right, half of the time, never if `orientation_matters`; "colour": brightness, contrast and saturation,
    each times 0.6 to 1.4. The network's own preprocessing follows.
    """
    steps = augment.split("+")
    if "crop" in steps:
        image = _crop(image, uniform[:4])
    if "flip" in steps and uniform[4] < 0.5 and not orientation_matters:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if "colour" in steps:
        for enhance, number in zip(
            (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), uniform[5:8], strict=True
        ):
            image = enhance(image).enhance(1 + _COLOUR * (2 * float(number) - 1))
    return image


def _crop(image: Image.Image, uniform: NDArray[np.float64]) -> Image.Image:
    area = _LEAST_AREA + (1 - _LEAST_AREA) * uniform[0]
    aspect = math.exp(_ASPECT * (2 * uniform[1] - 1))
    width, height = (image.size[i] * min(1.0, math.sqrt(area * a)) for i, a in ((0, aspect), (1, 1 / aspect)))
    left, top = (image.width - width) * uniform[2], (image.height - height) * uniform[3]
    return image.resize(image.size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
