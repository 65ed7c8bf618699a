"""CoOp's draws: the support images that files shot_K-seed_S.json list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.regular import parsed_json, read_text
from fewshot.plugins.fields import declare, one_of
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import Draw, Drawn, draw_from

_SIDES = ("test", "val")


@dataclass(frozen=True)
class PublishedDraws(Sampler):
    """The published draws of CoOp's benchmark (Zhou et al. 2022, arXiv 2109.01134), all-way: the support of draw i is
    the list "train" of shot_K-seed_S.json in `folder`, with S = i + 1, and the queries are the whole test partition.

    The draws are not nested: the 1-shot images need not be among the 2-shot images. Each file also lists min(K, 4)
    validation images per class; `queries="val"` asks these instead of the test images, so that a run can choose
    hyperparameters on them (Selection on "images"), which counts them as labels. Images are found by the ends of their
    paths. The shape must leave ways and queries open, and the run's seed must be 0.
    """

    short_name: ClassVar[str] = "published draws[ on {queries=val!}validation images]"
    nests_shots: ClassVar[bool] = False

    folder: Path
    queries: str = "test"

    rules = declare(queries=one_of(_SIDES))

    @classmethod
    def examples(cls) -> Sequence[Self]:
        """None: the laws ask for other seeds and for episodes of some classes, which published draws do not have."""
        return []

    @classmethod
    def usual(cls) -> EpisodeShape:
        return EpisodeShape(None, 1, None)

    def for_choice(self) -> PublishedDraws:
        return PublishedDraws(self.folder, "val")

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        if shape.n_way is not None or shape.n_query is not None or shape.k_shot is None or seed:
            raise ValueError(
                "PublishedDraws has only the published draws: K images of all classes, all queries, and seed 0; "
                f"got n_way={shape.n_way}, k_shot={shape.k_shot}, n_query={shape.n_query}, seed={seed}"
            )
        draw = draw_from(images, classes, shape, seed, start, count, None)
        files = [Path(self.folder) / f"shot_{shape.k_shot}-seed_{i + 1}.json" for i in range(start, start + count)]
        found = [_DrawFile.read(file, images) for file in files]
        support = _of_classes(draw, [one.train for one in found])
        if self.queries == "val":
            return draw.episodes(support, _of_classes(draw, [one.val for one in found]))
        return draw.episodes(support, draw.of("partition=test").query(shape))


def _of_classes(draw: Draw, drawn: Sequence[Ints]) -> Drawn:
    """The rows of each draw, class by class."""
    labels = draw.images.labels
    chosen = [rows[labels[rows] == label] for rows in drawn for label in draw.candidates]
    sizes = np.array([len(one) for one in chosen], dtype=np.int32)
    return np.concatenate([np.empty(0, np.int32), *chosen]).astype(np.int32), sizes


@dataclass(frozen=True, eq=False)
class _DrawFile:
    """The rows of the images in a file of one draw."""

    train: Ints
    val: Ints

    @staticmethod
    def read(file: Path, images: LabelledImages) -> _DrawFile:
        """The rows of the listed images; a ValueError names a wrong file or entry."""
        status = _stamp(file)
        return _read(file, images, *status)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise ValueError(
            f"there is no published draw {file}; give the folder that holds shot_K-seed_S.json, and ask only for the "
            "shots and the number of draws that it has"
        ) from error
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=16)
def _read(file: Path, images: LabelledImages, *stamp: int) -> _DrawFile:
    expected = 'expected {"train": {"data": [{"impath": ..., "label": ...}, ...]}, "val": ...}'
    try:
        content = parsed_json(read_text(file, "published draw"))
        lists = {part: [str(item["impath"]) for item in _items(content[part])] for part in ("train", "val")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not a published draw: {error!r}; {expected}") from error
    rows = {part: _rows(file, part, paths, images) for part, paths in lists.items()}
    return _DrawFile(rows["train"], rows["val"])


def _items(part: Any) -> Any:
    return part["data"] if isinstance(part, dict) else part


def _rows(file: Path, part: str, paths: Sequence[str], images: LabelledImages) -> Ints:
    """The rows of images by the ends of their paths; each must be known, once, and in its partition."""
    known = _by_file_name(images)
    found = [_row(path, known.get(path.rpartition("/")[2], [])) for path in paths]
    mask = images.mask(f"partition={part}")
    for path, row in zip(paths, found, strict=True):
        if row is None or not mask[row]:
            where = "no image" if row is None else f"an image outside the partition {part}"
            raise ValueError(
                f"{file} lists {path}, but {images.name} has {where} of that path; get both from one source"
            )
    if len(set(found)) < len(found):
        raise ValueError(f"{file} lists an image of {part} twice; get it again")
    return np.array(found, dtype=np.int64)


def _row(path: str, candidates: Sequence[tuple[str, int]]) -> int | None:
    """The row of the only candidate whose path is the end of this path, or the other way round."""
    fits = [row for name, row in candidates if f"/{path}".endswith(f"/{name}") or f"/{name}".endswith(f"/{path}")]
    return fits[0] if len(fits) == 1 else None


@lru_cache(maxsize=2)
def _by_file_name(images: LabelledImages) -> dict[str, list[tuple[str, int]]]:
    """The path and the row of every image, by the name of its file."""
    named: dict[str, list[tuple[str, int]]] = {}
    if images.image_names is None:
        raise ValueError(f"{images.name} has no names of image files, which published draws are matched by")
    for row, name in enumerate(images.image_names):
        named.setdefault(name.rpartition("/")[2], []).append((name, row))
    return named
