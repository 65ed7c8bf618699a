"""A look at a data set before any run: classes, sizes, depths and values of its images, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fewshot.datasets import LabelledImages, image_digest
from fewshot.datasets._depth import Scales
from fewshot.datasets._digests import Pictures, exact_copies, picture_facts
from fewshot.datasets._pictures import PictureFacts, facts_of_image, rows_by_sign
from fewshot.files.progress import with_progress

_EXAMPLES = 3
_FEWEST_SHOWN = 2000  # images from which on a progress bar is shown


@dataclass(frozen=True)
class Look:
    """The facts of a data set. Counts are of images; the pictures of `signs` and `copies` are named by `examples`."""

    n_images: int
    n_classes: int
    per_class: tuple[int, float, int]  # smallest, median, largest
    smallest_class: str
    groups: Mapping[str, Mapping[str, int]]
    sizes: tuple[tuple[int, int], tuple[int, int], int]  # smallest and largest by area, and how many different ones
    modes: Mapping[str, int]  # of Pillow, as stored
    kinds: Mapping[str, int]  # types of values, as stored
    scales: Mapping[str, str]  # values that become black to white, of types of more than 8 bits
    values: Mapping[str, tuple[float, float]]  # the smallest and largest value as stored, by type
    signs: Mapping[str, int]  # what looks wrong
    copies: Mapping[str, int]  # exact copies within a class and across classes
    examples: Mapping[str, tuple[str, ...]]


def look(images: LabelledImages, name: Callable[[int], str]) -> Look:
    """The look at images, one picture in memory per core; `name` names a row."""
    facts, scales, digests = _facts(images)
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    signs = rows_by_sign(facts, scales)
    copies = dict(zip(("within a class", "across classes"), exact_copies(digests, images.labels), strict=True))
    areas = sorted({(picture.width * picture.height, picture.width, picture.height) for picture in facts})
    kinds = Counter(picture.kind for picture in facts)
    examples = {sign: tuple(name(row) for row in rows[:_EXAMPLES]) for sign, rows in signs.items()}
    examples |= {kind: tuple(f"{name(a)} = {name(b)}" for a, b in pairs[:_EXAMPLES]) for kind, pairs in copies.items()}
    return Look(
        n_images=len(images),
        n_classes=len(images.class_names),
        per_class=(int(counts.min()), float(np.median(counts)), int(counts.max())),
        smallest_class=images.class_names[int(counts.argmin())],
        groups=group_sizes(images),
        sizes=(areas[0][1:], areas[-1][1:], len(areas)),
        modes=dict(Counter(picture.mode for picture in facts).most_common()),
        kinds=dict(kinds.most_common()),
        scales={kind: str(scale) for kind, scale in scales.items()},
        values={kind: _range([picture for picture in facts if picture.kind == kind]) for kind in kinds},
        signs={sign: len(rows) for sign, rows in signs.items()},
        copies={kind: len(pairs) for kind, pairs in copies.items()},
        examples={kind: names for kind, names in examples.items() if names},
    )


def group_sizes(images: LabelledImages) -> dict[str, dict[str, int]]:
    """The number of images of every name in every image group."""
    return {
        name: dict(zip(group.names, np.bincount(group.codes, minlength=len(group.names)).tolist(), strict=True))
        for name, group in images.image_groups.items()
    }


def _facts(images: LabelledImages) -> tuple[list[PictureFacts], Scales, list[bytes]]:
    """The facts of all pictures, as stored if they are encoded; the scales; and the digests of the decoded pixels."""
    given = images.images
    if isinstance(given, Pictures):
        facts = picture_facts(given)
        return facts, given.scales, [p.digest or image_digest(given[row]) for row, p in enumerate(facts)]
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda row: facts_of_image(given[row]), range(len(images)))
        facts = list(with_progress(looks, len(images), "looking", "image", len(images) > _FEWEST_SHOWN))
    return facts, {}, [picture.digest for picture in facts]


def _range(facts: Sequence[PictureFacts]) -> tuple[float, float]:
    return min(picture.low for picture in facts), max(picture.high for picture in facts)
