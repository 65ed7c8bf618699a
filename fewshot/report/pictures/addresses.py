"""Pictures inside a page: as data addresses of bounded length."""

from __future__ import annotations

import base64
import io

from PIL import Image

MOST_BYTES = 100_000  # of a picture; a report has at most nine, and base64 makes them a third longer
_FINE, _PLAIN, _COARSE = 80, 55, 30  # qualities


def address(png: bytes, most_bytes: int = MOST_BYTES) -> str:
    """The data address of a PNG: of its own bytes if they are few, such as those of drawings, else of a WebP with the
    same picture, reduced as far as `most_bytes` demand. The same PNG gives the same address."""
    if len(png) <= most_bytes:
        return _address("png", png)
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    while True:
        for quality in (_FINE, _PLAIN, _COARSE):
            webp = _webp(image, quality)
            if len(webp) <= most_bytes:
                return _address("webp", webp)
        scale = min(0.9, (most_bytes / len(webp)) ** 0.5)
        image = image.resize([max(1, int(scale * side)) for side in image.size], Image.Resampling.LANCZOS)


def thumbnail(image: Image.Image, pixels: int) -> str:
    """The data address of an image, reduced to a square of this side."""
    small = image.convert("RGB")
    small.thumbnail((pixels, pixels))
    png = io.BytesIO()
    small.save(png, "PNG", optimize=True)
    webp = _webp(small, _FINE)
    return _address("png", png.getvalue()) if len(png.getvalue()) <= len(webp) else _address("webp", webp)


def _webp(image: Image.Image, quality: int) -> bytes:
    held = io.BytesIO()
    image.save(held, "WEBP", quality=quality, method=2)
    return held.getvalue()


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
