"""Images that occur twice, exactly or nearly: within a class, where one copy may be support and the other query of an
episode; across classes, where one label is wrong; and across seen and novel classes, where it is a leak.

Exact copies have the same decoded pixels. Near copies look alike at 16 x 16 pixels: their similarity is the
correlation of these small pictures over pixels and colours. On the bundled data, another JPEG quality, brightness, blur
or size mostly keeps the similarity at 0.97 or more; a crop, a mirror image or other colours do not.
Vectors are compared by their cosine.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fewshot.datasets import LabelledImages, image_digest
from fewshot.episodes.flat import Ints
from fewshot.files.progress import progress_bar

WITHIN, ACROSS = "within a class", "across classes"
_SIDE = 16  # of a small picture, in pixels
_DIRECTIONS, _SAMPLE = 64, 2048  # of the first comparison, computed from a sample of this size
_FLAT = 1.0  # of 255: pictures below this deviation are blank, similar to no other
_ROWS, _COLUMNS = 512, 4096  # of a block of pairs
_CHUNK = 4096  # of pairs compared in full at once
Floats = NDArray[np.float32]


@dataclass(frozen=True, order=True)
class Pair:
    """Two rows of a data set. `kind`: `WITHIN` a class, `ACROSS` the chosen classes, or the part of the split with the
    second row, such as "seen"."""

    similarity: float  # 1 for exact copies
    exact: bool
    first: int
    second: int
    kind: str


@dataclass(frozen=True)
class Duplicates:
    """The most similar pairs first, and the number of exact and near pairs of each kind."""

    pairs: tuple[Pair, ...]
    exact: Mapping[str, int]
    near: Mapping[str, int]

    @property
    def total(self) -> int:
        """The number of all pairs."""
        return sum(self.exact.values()) + sum(self.near.values())


def find_duplicates(
    images: LabelledImages,
    classes: Ints,
    others: Mapping[str, Ints],
    least: float = 0.97,
    most: int = 100,
    vectors: Callable[[Ints], Floats] | None = None,
    progress: bool = True,
) -> Duplicates:
    """The pairs with a similarity of at least `least`: both in `classes` (labels), or one in `classes` and one in
    `others` (labels by part of the split).

    k exact copies of one picture count as k - 1 pairs. `vectors` returns the features of rows; None compares the
    pictures, or the vectors of the data set. Memory grows with the number of images (1 kB each), not with the number of
    pairs. No pair is missed.
    """
    if not 0 < least <= 1:
        raise ValueError(f"least is a similarity in (0, 1], got {least!r}")
    rows, part = _rows(images, classes, others)
    digests, alike = _digests_and_values(images, rows, vectors, progress)
    copies, unique = _copies(digests)
    world = _World(rows, images.labels[rows], part, _Worst(most))
    exact: Counter[str] = Counter()
    for first, second in copies:
        if part[first] == "":
            exact[world.add(1.0, True, first, second)] += 1
    near: Counter[str] = Counter()
    n_first = int((part[unique] == "").sum())
    for first, second, similarity in _alike(alike.at(unique), n_first, least):
        near[world.add(similarity, False, int(unique[first]), int(unique[second]))] += 1
    return Duplicates(world.worst.pairs(), exact, near)


def _rows(images: LabelledImages, classes: Ints, others: Mapping[str, Ints]) -> tuple[Ints, NDArray[np.str_]]:
    """The rows of the classes, then of the others, and the part of each row: "" for the classes."""
    members = {"": classes, **others}
    rows = {name: np.flatnonzero(np.isin(images.labels, labels)) for name, labels in members.items()}
    named = np.repeat(np.array(list(rows), dtype=np.str_), [len(r) for r in rows.values()])
    return np.concatenate(list(rows.values())), named


@dataclass(frozen=True, eq=False)
class _Worst:
    """The most similar pairs so far."""

    most: int
    heap: list[Pair] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        (heapq.heappush if len(self.heap) < self.most else heapq.heappushpop)(self.heap, pair)

    def pairs(self) -> tuple[Pair, ...]:
        return tuple(sorted(self.heap, key=lambda p: (-p.similarity, not p.exact, p.first, p.second)))


@dataclass(frozen=True, eq=False)
class _World:
    """The compared rows, by their place."""

    rows: Ints
    labels: Ints
    part: NDArray[np.str_]
    worst: _Worst

    def add(self, similarity: float, exact: bool, first: int, second: int) -> str:
        """The kind of a pair, which this records."""
        same = self.labels[first] == self.labels[second]
        kind = str(self.part[second]) or (WITHIN if same else ACROSS)
        self.worst.add(Pair(similarity, exact, int(self.rows[first]), int(self.rows[second]), kind))
        return kind


@dataclass(frozen=True, eq=False)
class _Alike:
    """The values that n images are compared by."""

    n: int
    full: Callable[[Ints], Floats]  # places -> [m, D] of length 1 or 0

    def at(self, places: Ints) -> _Alike:
        return _Alike(len(places), lambda wanted: self.full(places[wanted]))

    def coarse(self) -> Floats:
        """[n, d + 1] coordinates p along the d directions of largest variance, and the length r of the rest:
        a . b is at most p_a . p_b + r_a r_b, by Cauchy-Schwarz."""
        sample = self.full(np.unique(np.linspace(0, self.n - 1, _SAMPLE).astype(np.int64)))
        directions = np.linalg.eigh(sample.T @ sample)[1][:, -_DIRECTIONS:]
        return np.concatenate([_along(self.full(places), directions) for places in self._chunks()])

    def _chunks(self) -> Iterator[Ints]:
        for start in range(0, self.n, _CHUNK):
            yield np.arange(start, min(start + _CHUNK, self.n))


def _along(items: Floats, directions: Floats) -> Floats:
    inside = items @ directions
    rest = np.sqrt(np.maximum(0, (items**2).sum(1) - (inside**2).sum(1)))
    return np.hstack([inside, rest[:, None]]).astype(np.float32)


def _digests_and_values(
    images: LabelledImages, rows: Ints, vectors: Callable[[Ints], Floats] | None, progress: bool
) -> tuple[Sequence[bytes], _Alike]:
    """The digest of every row, and the values that rows are compared by."""
    if images.vectors is not None:
        vectors = vectors or images.vectors.gather
    if vectors is not None:
        given = vectors(rows)
        unit = _unit(given)
        return [row.tobytes() for row in given], _Alike(len(unit), unit.__getitem__)
    digests: list[bytes] = []
    small = np.empty((len(rows), _SIDE * _SIDE * 3), np.uint8)

    def look(row: int) -> tuple[bytes, NDArray[np.uint8]]:
        image = images.images[row]
        return image_digest(image), np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BOX)).reshape(-1)

    with ThreadPoolExecutor() as pool:
        bar = progress_bar(len(rows), "looking", "image", progress and len(rows) > 2000)
        for place, (digest, pixels) in enumerate(pool.map(look, rows.tolist())):
            digests.append(digest)
            small[place] = pixels
            bar.update()
        bar.close()
    return digests, _Alike(len(rows), lambda places: _small(small[places]))


def _small(pixels: NDArray[np.uint8]) -> Floats:
    """[m, 768] small pictures minus their mean, of length 1; 0 for blank pictures."""
    values = pixels.astype(np.float32)
    values -= values.mean(1, keepdims=True)
    values[values.std(1) < _FLAT] = 0
    return _unit(values)


def _unit(values: Floats) -> Floats:
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(length > 0, length, 1), dtype=np.float32)


def _copies(digests: Sequence[bytes]) -> tuple[list[tuple[int, int]], Ints]:
    """Pairs (first, copy) of places with equal digests, and the places of all first ones."""
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(digest, place), place) for place, digest in enumerate(digests)]
    return [pair for pair in pairs if pair[0] != pair[1]], np.array(sorted(first.values()), dtype=np.int64)


def _alike(items: _Alike, n_first: int, least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j, similarity) of places with i < j and i < n_first, in blocks."""
    coarse = items.coarse()
    for low in range(0, n_first, _ROWS):
        high = min(low + _ROWS, n_first)
        for start in range(low, items.n, _COLUMNS):
            closeness = coarse[low:high] @ coarse[start : start + _COLUMNS].T
            i, j = np.divmod(np.flatnonzero(closeness >= least - 1e-5), closeness.shape[1])  # float32 is off by less
            later = j + start > i + low
            yield from _in_full(items, i[later] + low, j[later] + start, least)


def _in_full(items: _Alike, i: Ints, j: Ints, least: float) -> Iterator[tuple[int, int, float]]:
    for at in range(0, len(i), _CHUNK):
        one, other = i[at : at + _CHUNK], j[at : at + _CHUNK]
        similarity = np.einsum("md,md->m", items.full(one), items.full(other))
        for place in np.flatnonzero(similarity >= least).tolist():
            yield int(one[place]), int(other[place]), min(1.0, float(similarity[place]))
