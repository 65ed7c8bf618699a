"""The published sizes of images in pixels, and images of other sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.flat import Ints


def size_in_name(name: str, sizes: Sequence[int]) -> int:
    """The one of these sizes that ends a name, such as 64 of "pathmnist_64"; the first for other names."""
    return next((size for size in sizes if name.endswith(f"_{size}")), sizes[0])


def other_size(images: LabelledImages, sizes: Sequence[int]) -> str | None:
    """How the size of images differs from the published one, as the end of a sentence "this copy ..."; None if it does
    not. `sizes`: the edges of square images that the name can end in; none for images of any size."""
    if not sizes or images.vectors is not None:
        return None
    edge = size_in_name(images.name, sizes)
    others = [size for size in _first_sizes(images) if size != (edge, edge)]
    if not others:
        return None
    width, height = others[0]
    plain = images.name.removesuffix(f"_{edge}")
    is_other_file = width == height and width in sizes
    name = f" (the file of that size is called {plain}{f'_{width}' * (width != sizes[0])})" if is_other_file else ""
    return f"has images of {width} x {height} pixels instead of {edge} x {edge}{name}"


def _first_sizes(images: LabelledImages) -> list[tuple[int, int]]:
    """The width and height of the first image of every class in every partition."""
    return [images.images[row].size for row in _first_rows(images).tolist()]


def _first_rows(images: LabelledImages) -> Ints:
    group = images.image_groups.get("partition")
    codes = images.labels if group is None else images.labels * len(group.names) + group.codes
    rows: Ints = np.unique(codes, return_index=True)[1]
    return rows
