"""Random views of an image, drawn by (seed, step, position) alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from fewshot import draws

AUGMENTS = ("none", "flip", "crop", "crop+flip", "crop+flip+colour")
_STREAM = 47  # of random words
_DRAWS = 8
_LEAST_AREA = 0.5  # of a crop
_ASPECT = math.log(4 / 3)  # the most that a crop is stretched either way
_COLOUR = 0.4  # brightness, contrast and saturation are 1 -+ this


def draw(seed: int, step: int, positions: list[int]) -> NDArray[np.float64]:
    """[b, 8] uniform numbers in [0, 1): those of a position at a step are the same in every mini-batch."""
    words = draws.words(seed, np.array([step]), max(positions) + 1, _DRAWS, _STREAM)[0]
    uniform: NDArray[np.float64] = words[positions] / 2.0**32
    return uniform


def view(image: Image.Image, augment: str, uniform: NDArray[np.float64], orientation_matters: bool) -> Image.Image:
    """A view of the size of the image, by 8 uniform numbers.

    "crop": a part of at least half the area, stretched by at most 4/3, brought back to the size of the image; "flip":
    left to right, half of the time, never where `orientation_matters`; "colour": brightness, contrast and saturation,
    each times 0.6 to 1.4. The network's own preprocessing follows.
    """
    steps = augment.split("+")
    if "crop" in steps:
        image = _crop(image, uniform[:4])
    if "flip" in steps and uniform[4] < 0.5 and not orientation_matters:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if "colour" in steps:
        for enhance, number in zip(
            (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), uniform[5:], strict=True
        ):
            image = enhance(image).enhance(1 + _COLOUR * (2 * float(number) - 1))
    return image


def _crop(image: Image.Image, uniform: NDArray[np.float64]) -> Image.Image:
    area = _LEAST_AREA + (1 - _LEAST_AREA) * uniform[0]
    aspect = math.exp(_ASPECT * (2 * uniform[1] - 1))
    width, height = (image.size[i] * min(1.0, math.sqrt(area * a)) for i, a in ((0, aspect), (1, 1 / aspect)))
    left, top = (image.width - width) * uniform[2], (image.height - height) * uniform[3]
    return image.resize(image.size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
