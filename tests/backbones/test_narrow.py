"""Very long and narrow pictures cost bounded memory and keep the same centre."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fewshot.backbones._narrow import centred
from fewshot.backbones._timm_network import eval_transform
from fewshot.backbones.raw_pixels import RawPixels

CONFIG = {
    "input_size": (3, 64, 64), "interpolation": "bicubic", "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25),
    "crop_pct": 0.875, "crop_mode": "center",
}  # fmt: skip


def picture(width, height):
    """A smooth picture, so that the resampling matters little."""
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (max(2, height // 20), max(2, width // 20), 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(8000, 1), (1, 8000), (60_000, 2), (3, 9001)])
@pytest.mark.parametrize("mode", ["center", "squash", "border"])
def test_the_resized_picture_stays_small(size, mode, monkeypatch):
    sizes = []
    resize = Image.Image.resize

    def watched(self, size, *args, **options):
        sizes.append(size[0] * size[1])
        return resize(self, size, *args, **options)

    image = picture(*size)
    monkeypatch.setattr(Image.Image, "resize", watched)
    assert eval_transform({**CONFIG, "crop_mode": mode})(image).shape == (3, 64, 64)
    assert max(sizes) <= 17 * 73 * 73


@pytest.mark.parametrize("size", [(2000, 20), (20, 2000), (2001, 20), (1700, 101), (81, 2003)])
def test_the_centre_is_that_of_the_whole_picture(size):
    image = picture(*size)
    transform = eval_transform(CONFIG)
    whole = np.asarray(transform.geometry(image)).astype(int)
    found = np.asarray(transform.geometry(centred(image))).astype(int)
    shifted = np.abs(np.diff(whole, axis=0 if size[1] > size[0] else 1))  # by one pixel
    assert np.abs(whole - found).mean() <= 0.6 * shifted.mean()


@pytest.mark.parametrize("size", [(16, 1), (1, 16), (640, 480), (320, 20)])
def test_other_pictures_are_left_alone(size):
    image = picture(*size)
    assert centred(image) is image


@pytest.mark.parametrize("size", [0, 513, 3000])
def test_raw_pixels_of_a_size_that_no_memory_holds_are_refused(size):
    with pytest.raises(ValueError, match=r"must be an integer of at least 1 and at most 512 \(3 MB per image\). Got"):
        RawPixels(image_size=size)


def test_raw_pixels_take_a_picture_of_one_line():
    assert RawPixels(4).load().preprocess(picture(8000, 1)).shape == (3, 4, 4)
