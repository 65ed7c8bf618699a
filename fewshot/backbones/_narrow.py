"""Bounds the memory of preprocessing very long and narrow pictures."""

from __future__ import annotations

from PIL import Image

RATIO = 16  # of the sides; an evaluation transform keeps a central square of the shorter side


def centred(image: Image.Image, ratio: int = RATIO) -> Image.Image:
    """The image, or its centre if the longer side is more than `ratio` times the shorter one.

    A picture of 8000 x 1 pixels would become 2,048,000 x 256 pixels (1.5 GB) before its centre is cropped. Of longer
    pictures, the result may be shifted by half a pixel.
    """
    width, height = image.size
    most = ratio * min(width, height)
    if max(width, height) <= most:
        return image
    if width > height:
        left = (width - most) // 2
        return image.crop((left, 0, width - left, height))
    top = (height - most) // 2
    return image.crop((0, top, width, height - top))
