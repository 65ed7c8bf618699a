"""The nouns between data and evaluators: the shape of an episode, episodes as rows of a data set, and batches of
episodes as evaluators see them.

E episodes, B episodes in a batch, N ways, K shots, Q queries per class, S support rows, M query rows,
D features, n images.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from fewshot.plugins.registry import DATASETS, SAMPLERS
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fewshot.episodes.labelled import Labelled

FORMAT = "fewshot-episodes-1"
MOST_ROWS = 1 << 31  # rows are int32
_MOST_SAMPLED = 1 << 26  # images of all episodes, an image counted in each of them
Ints = NDArray[np.int64]
Rows = NDArray[np.int32]
Items = TypeVar("Items", covariant=True)  # vectors for feature evaluators, ImageRows for image evaluators
Other = TypeVar("Other")


@dataclass(frozen=True)
class EpisodeShape:
    """N-way K-shot with n_query queries per class. None means all: all classes, all support images, all other
    images. A class with fewer than `k_shot` support images is an error unless `k_shot_at_most`. With k_shot 0 there is
    no support: only evaluators that need none, such as ZeroShot, solve such episodes."""

    n_way: int | None = 5
    k_shot: int | None = 1
    n_query: int | None = 15
    k_shot_at_most: bool = False

    def __post_init__(self) -> None:
        for name, least in (("n_way", 2), ("k_shot", 0), ("n_query", 1)):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < least):
                raise ValueError(f"{name} must be None (all) or an integer of at least {least}, got {value!r}")
            if value is not None and value >= MOST_ROWS:
                raise ValueError(f"{name} must be below 2^31, the most images of a data set, got {value:,}")
        if not isinstance(self.k_shot_at_most, bool):
            raise ValueError(f"k_shot_at_most must be True or False, got {self.k_shot_at_most!r}")

    @property
    def fewest_shots(self) -> int:
        """The fewest support images that a class needs: `k_shot`, or 1 if k_shot is open or at most that many."""
        return 1 if self.k_shot is None or (self.k_shot_at_most and self.k_shot) else self.k_shot


@dataclass(frozen=True, eq=False, repr=False)
class Episodes:
    """E episodes as rows of one data set. Ways, support and query are flat arrays, one episode after the other. Inside
    an episode rows are class-major, so labels follow from the counts: way w has `support_count[w]` adjacent rows.
    """

    index: Ints  # [E] each episode keeps its index, in shards and slices too
    n_way: Rows  # [E]
    classes: Rows  # [sum of n_way] label of each way in the data set
    support_count: Rows  # [sum of n_way]
    query_count: Rows  # [sum of n_way]
    support: Rows  # [sum of support_count] rows of the data set
    query: Rows  # [sum of query_count]
    images_digest: str
    seed: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, part: int | slice) -> Episodes:
        """Some episodes, or the episode at one place, as episodes."""
        if isinstance(part, int | np.integer):
            place = range(len(self))[part]
            part = slice(place, place + 1)
        if not isinstance(part, slice):
            raise TypeError(f"episodes have numbers and slices, such as episodes[0] and episodes[:100]; got {part!r}")
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise ValueError(f"episodes are sliced in steps of 1, got {step}")
        ways, support, query = (
            slice(o[start], o[max(start, stop)]) for o in (self.way_start, self.support_start, self.query_start)
        )
        return replace(
            self,
            index=self.index[part],
            n_way=self.n_way[part],
            classes=self.classes[ways],
            support_count=self.support_count[ways],
            query_count=self.query_count[ways],
            support=self.support[support],
            query=self.query[query],
        )

    def take(self, order: Ints) -> Episodes:
        """These episodes in another order (or some of them), by position."""
        starts = {
            "classes": self.way_start,
            "support_count": self.way_start,
            "query_count": self.way_start,
            "support": self.support_start,
            "query": self.query_start,
        }
        flat: dict[str, Any] = {name: take_runs(getattr(self, name), start, order) for name, start in starts.items()}
        return replace(self, index=self.index[order], n_way=self.n_way[order], **flat)

    @cached_property
    def way_start(self) -> Ints:
        """[E + 1] where each episode's ways begin in `classes` and the counts."""
        return _starts(self.n_way)

    @cached_property
    def support_start(self) -> Ints:
        """[E + 1] where each episode's rows begin in `support`."""
        return _starts(self.support_count)[self.way_start]

    @cached_property
    def query_start(self) -> Ints:
        """[E + 1] where each episode's rows begin in `query`."""
        return _starts(self.query_count)[self.way_start]

    @cached_property
    def support_labels(self) -> Rows:
        """Way of each support row, flat, in [0, N)."""
        return np.repeat(self._ways, self.support_count)

    @cached_property
    def query_labels(self) -> Rows:
        """Way of each query row, flat, in [0, N)."""
        return np.repeat(self._ways, self.query_count)

    @property
    def shape(self) -> EpisodeShape | None:
        """The shape that all classes of all episodes have; None if they differ."""
        held = [np.unique(counts).tolist() for counts in (self.n_way, self.support_count, self.query_count)]
        return EpisodeShape(*(one for (one,) in held)) if all(len(one) == 1 for one in held) and held[2][0] else None

    @property
    def _ways(self) -> Rows:
        return (np.arange(len(self.classes)) - np.repeat(self.way_start[:-1], self.n_way)).astype(np.int32)

    @cached_property
    def digest(self) -> str:
        """sha256 hex of the content of these episodes, the same on every machine."""
        return episodes_digest([self])

    @staticmethod
    def sample(
        images: Labelled | str | Path,
        n_way: int | None = 5,
        k_shot: int | None = 1,
        n_query: int | None = 15,
        n_episodes: int = 600,
        seed: int = 0,
        sampler: Any = "Balanced()",
        classes: Iterable[str] | None = None,
    ) -> Episodes:
        """Episodes of these images, or of a data set by its name or folder: n_episodes of n_way classes, with k_shot
        support and n_query query images per class (None: all).

        Episode i depends on the seed and i alone. `classes`: the names of the classes to sample from (None: all). A
        class that is too small, or too few classes, raise a ValueError.
        """
        held: Any = images
        if isinstance(images, str | Path):
            held = DATASETS.named(images).make().load()
        names = held.class_names
        labels = np.arange(len(names)) if classes is None else np.array([_label(name, names) for name in classes])
        shape = EpisodeShape(n_way, k_shot, n_query)
        if type(n_episodes) is not int or n_episodes < 1:
            raise ValueError(f"n_episodes must be an integer of at least 1; got {n_episodes!r}")
        made = SAMPLERS.make(sampler)
        first = made.sample(held, labels, shape, seed, 0, 1)
        of_one = len(first.support) + len(first.query)
        if n_episodes * of_one > _MOST_SAMPLED:
            raise ValueError(
                f"{counted(n_episodes, 'episode')} of {of_one:,} images each do not fit in memory; sample at most "
                f"{_MOST_SAMPLED // of_one:,}"
            )
        episodes: Episodes = made.sample(held, labels, shape, seed, 0, n_episodes)
        return episodes

    @staticmethod
    def from_rows(images: Labelled, support: Sequence[Sequence[int]], query: Sequence[Sequence[int]]) -> Episodes:
        """Custom episodes from the support rows and the query rows of each. Labels are those of the images; the ways of
        an episode are the classes of its support in order of first appearance. Raises the errors of `check`, and a
        ValueError for a query whose class has no support."""
        if len(support) != len(query) or len(support) == 0:
            raise ValueError(
                f"custom episodes need as many query lists as support lists, at least one; "
                f"got {len(support)} support and {len(query)} query lists"
            )
        parts = [_one_episode(images, e, s, q) for e, (s, q) in enumerate(zip(support, query, strict=True))]
        columns = [np.concatenate(column).astype(np.int32) for column in zip(*parts, strict=True)]
        classes, support_count, query_count, support_rows, query_rows = columns
        n_way = np.array([len(part[0]) for part in parts], dtype=np.int32)
        episodes = Episodes(
            np.arange(len(parts)),
            n_way,
            classes,
            support_count,
            query_count,
            support_rows,
            query_rows,
            images.images_digest,
        )
        episodes.check(images)
        return episodes

    @staticmethod
    def concatenate(parts: Sequence[Episodes]) -> Episodes:
        """The episodes of all parts, in order; all parts must have the same images and the same seed."""
        if len({(part.images_digest, part.seed) for part in parts}) != 1:
            raise ValueError(
                "only episodes of one data set and one seed can be joined; got "
                f"{len(parts)} parts of {len({p.images_digest for p in parts})} data sets "
                f"and {len({p.seed for p in parts})} seeds"
            )
        joined: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in ARRAY_TYPES}
        return replace(parts[0], **joined)

    def check(self, images: Labelled) -> None:
        """Raises a ValueError unless these are well-formed episodes of these images: rows in range, labels that
        agree, no image and no class twice in an episode, at least two classes, support for each, and a query."""
        if self.images_digest != images.images_digest:
            raise ValueError(
                f"these episodes were made for images {self.images_digest[:12]}, but the data set is "
                f"{images.images_digest[:12]}; load the data set that they were made for"
            )
        self.check_layout(len(images))
        for what in ("support", "query"):
            rows = getattr(self, what)
            classes = np.repeat(self.classes, getattr(self, f"{what}_count"))
            wrong = np.flatnonzero(images.labels[rows] != classes)
            if len(wrong):
                raise ValueError(
                    f"{what} row {rows[wrong[0]]} has label {images.labels[rows[wrong[0]]]}, "
                    f"but is listed under class {classes[wrong[0]]}"
                )

    def check_layout(self, n_images: int) -> None:
        """Raises a ValueError unless these are well-formed episodes of a data set with so many images."""
        sizes = {
            "classes": self.n_way.sum(),
            "support_count": self.n_way.sum(),
            "query_count": self.n_way.sum(),
            "n_way": len(self),
            "support": self.support_count.sum(),
            "query": self.query_count.sum(),
        }
        for name, size in sizes.items():
            if getattr(self, name).shape != (size,):
                raise ValueError(
                    f"{name} should hold {counted(int(size), 'entry')}, found {len(getattr(self, name))}: "
                    "the file is damaged or was not written by fewshot"
                )
        few = np.flatnonzero(self.n_way < 2)
        if len(few):
            raise ValueError(
                f"episode {self.index[few[0]]} has support images of {self.n_way[few[0]]} classes; "
                "at least 2 are needed"
            )
        without = np.repeat(np.diff(self.support_start) == 0, self.n_way)  # ways of 0-shot episodes
        if self.support_count[~without].min(initial=1) < 1 or self.query_count.min(initial=0) < 0:
            raise ValueError(
                "every class of an episode needs a support image; the lowest counts are "
                f"{self.support_count.min()} support and {self.query_count.min()} query"
            )
        unasked = np.flatnonzero(np.diff(self.query_start) == 0)
        if len(unasked):
            raise ValueError(f"episode {self.index[unasked[0]]} has no query image; give it at least one")
        rows = np.concatenate([self.support, self.query])
        if len(rows) and not 0 <= rows.min() <= rows.max() < n_images:
            raise ValueError(f"rows must be in [0, {n_images}), found {rows.min()} to {rows.max()}")
        episode = [np.repeat(np.arange(len(self)), np.diff(s)) for s in (self.support_start, self.query_start)]
        self._check_once("image", np.concatenate(episode), rows)
        self._check_once("class", np.repeat(np.arange(len(self)), self.n_way), self.classes)

    def _check_once(self, what: str, episode: Ints, members: Rows) -> None:
        order = np.lexsort((members, episode))
        at, member = episode[order], members[order]
        twice = np.flatnonzero((at[1:] == at[:-1]) & (member[1:] == member[:-1]))
        if len(twice):
            raise ValueError(
                f"{what} {member[twice[0]]} is twice in episode {self.index[at[twice[0]]]}; "
                f"an episode holds each {what} once"
            )

    def padded(self, which: str) -> tuple[Rows, Rows, NDArray[np.bool_]]:
        """Rows, labels and mask [E, widest] of the "support" or "query"; padding repeats the first row of the episode,
        with label 0 and a False mask."""
        rows, labels, start = getattr(self, which), getattr(self, f"{which}_labels"), getattr(self, f"{which}_start")
        counts = np.diff(start)
        if len(counts) and counts.min() == counts.max():
            shape = len(counts), int(counts[0])
            return rows.reshape(shape).copy(), labels.reshape(shape).copy(), np.ones(shape, np.bool_)
        mask = np.arange(counts.max(initial=0)) < counts[:, None]
        full_rows, full_labels = np.zeros(mask.shape, np.int32), np.zeros(mask.shape, np.int32)
        full_rows[mask], full_labels[mask] = rows, labels
        return np.where(mask, full_rows, full_rows[:, :1]), full_labels, mask

    def save(self, path: str | Path, about: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Writes a small .safetensors file: the arrays, their digests as text, and the JSON values in `about`. It holds
        no pickle, so it is safe to share."""
        from fewshot.files.atomic import write_safetensors

        metadata = {
            **about,
            "format": FORMAT,
            "images_digest": self.images_digest,
            "seed": str(self.seed),
            "digest": self.digest,
        }
        write_safetensors(Path(path), self._arrays(), metadata)

    @staticmethod
    def load(path: str | Path) -> Episodes:
        """The episodes of a file that `save` wrote. Any other file raises a ValueError that says what is wrong."""
        from fewshot.files.atomic import read_safetensors

        arrays, metadata = read_safetensors(Path(path), "an episode list")
        types = {name: array.dtype.str for name, array in arrays.items()}
        if metadata.get("format") != FORMAT or types != ARRAY_TYPES:
            raise ValueError(f"{path} is not an episode list of format {FORMAT}; found {metadata.get('format')!r}")
        try:
            episodes = Episodes(**arrays, images_digest=metadata["images_digest"], seed=int(metadata["seed"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not an episode list: its images_digest or its seed is missing") from error
        if episodes.digest != metadata.get("digest"):
            raise ValueError(f"{path} does not have the digest that it was saved with: it was changed or damaged")
        return episodes

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {name: np.ascontiguousarray(getattr(self, name), dtype) for name, dtype in ARRAY_TYPES.items()}

    def __repr__(self) -> str:
        shape = self.shape
        sizes = "of unequal sizes"
        if shape is not None:
            sizes = f"{shape.n_way}-way {shape.k_shot}-shot, {shape.n_query} {_noun('query', shape.n_query)} per class"
        return f"Episodes({len(self):,} {_noun('episode', len(self))}, {sizes}, seed {self.seed})"

    def _repr_html_(self) -> str:
        """The sizes, and the support and some queries of the first episode, if its images are in memory."""
        from fewshot.episodes.shown import episode_html, images_in_memory, pictures

        images = images_in_memory(self.images_digest)
        if images is not None and len(self):
            with contextlib.suppress(ValueError):  # other images with this digest
                self[:1].check(images)
                return episode_html(repr(self), images, self[:1]._rows_by_way())
        return pictures(repr(self), [], str, 0, "")

    def _rows_by_way(self) -> list[tuple[int, list[int], list[int]]]:
        """The label of each way, the rows of its support, and those of its queries."""
        support, query = (
            np.split(rows, np.cumsum(counts)[:-1])
            for rows, counts in ((self.support, self.support_count), (self.query, self.query_count))
        )
        ways = zip(self.classes.tolist(), support, query, strict=True)
        return [(label, own.tolist(), others.tolist()) for label, own, others in ways]

    def __str__(self) -> str:
        """One line per episode for the first ten: index, ways, support and query sizes, classes."""
        lines = [f"{counted(len(self), 'episode')}, digest {self.digest[:16]}"]
        for e in range(min(10, len(self))):
            ways = slice(self.way_start[e], self.way_start[e + 1])
            lines.append(
                f"  {self.index[e]}: {self.n_way[e]} ways, support {self.support_count[ways].sum()}, "
                f"query {self.query_count[ways].sum()}, classes {self.classes[ways].tolist()}"
            )
        return "\n".join(lines)


def _noun(noun: str, number: int | None) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return noun if number == 1 else plural


def _label(name: str, class_names: Sequence[str]) -> int:
    """The label of a class; an unknown name raises a ValueError."""
    if name not in class_names:
        known = ", ".join(class_names[:10]) + (f" and {len(class_names) - 10} more" if len(class_names) > 10 else "")
        raise ValueError(f"there is no class {name!r}; the classes are {known}")
    return class_names.index(name)


ARRAY_TYPES = {
    "index": "<i8",
    "n_way": "<i4",
    "classes": "<i4",
    "support_count": "<i4",
    "query_count": "<i4",
    "support": "<i4",
    "query": "<i4",
}  # dtypes of the arrays in files and digests


@dataclass(frozen=True)
class EpisodeBatch(Generic[Items]):
    """B episodes with the same number of ways, as an evaluator sees them: without queries and query labels.

    Ragged episodes are padded to the largest support; padded items are arbitrary and False in `support_mask`.
    """

    support: Items  # [B, S, D] vectors, or ImageRows of shape [B, S]
    support_labels: Tensor  # [B, S] int64 in [0, n_way); 0 under the padding
    support_mask: Tensor  # [B, S] bool
    n_way: int
    seeds: Tensor  # [B] int64: evaluators draw from these seeds only
    class_features: Tensor | None = None  # [B, N, D] vectors of the class names
    support_views: Tensor | None = None  # [B, S, V, D] V views of each support image, if the evaluator wants them
    watch: Callable[[int, int], None] | None = None  # slow evaluators call it: steps done, steps in all

    def take(self, episodes: Tensor | slice) -> EpisodeBatch[Items]:
        """Some episodes, by position; positions may repeat."""
        if isinstance(episodes, slice):
            return self._with(_BY_EPISODE, lambda held: held[episodes])
        return self._with(_BY_EPISODE, lambda held: held[episodes.to(getattr(held, "device", "cpu"))])

    def take_support(self, order: Tensor) -> EpisodeBatch[Items]:
        """The same episodes with the support rows at the positions `order` [S']: fewer, repeated, in another order."""
        return self._with(_BY_ROW, lambda held: held[:, order])

    def without(self, rows: Tensor) -> EpisodeBatch[Items]:
        """The same episodes without the support rows where `rows` [B, S] is True: they become padding."""
        mask = self.support_mask & ~rows
        return replace(self, support_mask=mask, support_labels=self.support_labels * mask)

    def renamed(self, permutation: Tensor) -> EpisodeBatch[Items]:
        """The same episodes; way n of each becomes way permutation[n]."""
        names = None if self.class_features is None else self.class_features[:, permutation.argsort()]
        return replace(self, support_labels=permutation[self.support_labels] * self.support_mask, class_features=names)

    def seen_as(self, support: Other, support_views: Tensor | None = None) -> EpisodeBatch[Other]:
        """The same episodes with their support [B, S] in another form (rows, vectors or images), and with other further
        views if given."""
        views = self.support_views if support_views is None else support_views
        return replace(cast("EpisodeBatch[Other]", self), support=support, support_views=views)

    def on(self, device: torch.device) -> EpisodeBatch[Items]:
        """The same episodes on a device, for a support of vectors. Seeds stay on the CPU, whose generators use them."""
        names = ("support", "support_labels", "support_mask", "class_features", "support_views")
        held = {name: getattr(self, name) for name in names}
        return replace(self, **{name: value.to(device) for name, value in held.items() if value is not None})

    def views_as_rows(self) -> EpisodeBatch[Tensor]:
        """The same episodes with a support [B, S (1 + V), D]: each row is followed by its views; no views remain."""
        vectors = cast("EpisodeBatch[Tensor]", self)
        if self.support_views is None:
            return vectors
        of_one = 1 + self.support_views.shape[2]
        labels, mask = (held.repeat_interleave(of_one, dim=1) for held in (self.support_labels, self.support_mask))
        support = vectors.support.new_empty(*labels.shape, vectors.support.shape[2])
        support[:, ::of_one] = vectors.support
        for view in range(1, of_one):
            support[:, view::of_one] = self.support_views[:, :, view - 1]
        return replace(vectors, support=support, support_labels=labels, support_mask=mask, support_views=None)

    def _with(self, names: Iterable[str], change: Callable[[Any], Any]) -> EpisodeBatch[Items]:
        held = {name: getattr(self, name) for name in names}
        changed: dict[str, Any] = {name: change(value) for name, value in held.items() if value is not None}
        return replace(self, **changed)


_BY_ROW = (
    "support",
    "support_labels",
    "support_mask",
    "support_views",
)  # of an EpisodeBatch: [B, S, ...]
_BY_EPISODE = (*_BY_ROW, "seeds", "class_features")  # [B, ...]


class EpisodesDigest:
    """The digest of episodes that are added part by part."""

    def __init__(self) -> None:
        self._shas = {name: hashlib.sha256() for name in ARRAY_TYPES}
        self._made_from: set[str] = set()  # the seed is of the episodes: evaluators draw from it

    def add(self, part: Episodes) -> None:
        """Adds the episodes that follow."""
        self._made_from.add(f"{part.images_digest} {part.seed}")
        for name, array in part._arrays().items():
            self._shas[name].update(array.tobytes())

    @property
    def value(self) -> str:
        """sha256 hex of all parts together."""
        whole = " ".join([FORMAT, *sorted(self._made_from), *(sha.hexdigest() for sha in self._shas.values())])
        return hashlib.sha256(whole.encode()).hexdigest()


def episodes_digest(parts: Iterable[Episodes]) -> str:
    """The digest of all parts together; one part is in memory at a time."""
    digest = EpisodesDigest()
    for part in parts:
        digest.add(part)
    return digest.value


def take_runs(flat: NDArray[Any], start: Ints, order: Ints) -> NDArray[Any]:
    """The slices flat[start[i] : start[i + 1]] for i in `order`, joined."""
    lengths = np.diff(start)[order]
    shift = start[:-1][order] - (np.cumsum(lengths) - lengths)
    taken: NDArray[Any] = flat[np.repeat(shift, lengths) + np.arange(lengths.sum())]
    return taken


def _starts(counts: Rows) -> Ints:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _one_episode(
    images: Labelled, episode: int, support: Sequence[int], query: Sequence[int]
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Classes, counts and class-major rows of a custom episode."""
    rows = [np.asarray(part).reshape(-1) for part in (support, query)]
    for part in rows:
        if len(part) and part.dtype.kind not in "iu":
            raise ValueError(f"episode {episode}: rows must be integers, found {part.dtype} such as {part[0]}")
        if len(part) and not 0 <= part.min() <= part.max() < len(images):
            raise ValueError(
                f"episode {episode}: rows must be in [0, {len(images)}), found {part.min()} to {part.max()}"
            )
    rows = [part.astype(np.int64) for part in rows]
    labels = [images.labels[part] for part in rows]
    _, first = np.unique(labels[0], return_index=True)
    classes = labels[0][np.sort(first)]
    unknown = np.setdiff1d(labels[1], classes)
    if len(unknown):
        raise ValueError(
            f"episode {episode}: a query image is of class {images.class_names[unknown[0]]!r}, "
            "which has no support image in this episode"
        )
    counts = [(part[None, :] == classes[:, None]).sum(1) for part in labels]
    grouped = [
        np.concatenate([r[p == c] for c in classes]) if len(classes) else r for r, p in zip(rows, labels, strict=True)
    ]
    return classes, counts[0], counts[1], grouped[0], grouped[1]
