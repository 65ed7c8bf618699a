"""Some of the images of a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PIL import Image

from fewshot.datasets import GivenVectors, Group, ImageSequence, LabelledImages
from fewshot.episodes.flat import Ints
from fewshot.files.vectors import HeldVectors


def subset(images: LabelledImages, rows: Ints) -> LabelledImages:
    """The data set of these rows, in their order. Classes and digest stay the same; the digest is that of all images,
    so features and episodes of the subset need their own."""
    names = images.image_names
    vectors = images.vectors
    return replace(
        images,
        images=_Rows(images.images, rows)
        if vectors is None
        else GivenVectors(HeldVectors(vectors.gather(rows)), images.name),
        labels=images.labels[rows],
        image_groups={name: Group(group.codes[rows], group.names) for name, group in images.image_groups.items()},
        image_names=None if names is None else [names[row] for row in rows],
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    images: ImageSequence
    rows: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int, /) -> Image.Image:
        return self.images[int(self.rows[row])]
