"""Episodes: the noun between data and evaluators, as rows of one data set.

E episodes, N ways, K shots, Q queries per class. Their arrays are in arrays.py; this file samples, joins, checks, keeps
and shows them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot.episodes import checks
from fewshot.episodes.arrays import ARRAY_TYPES, EpisodeArrays
from fewshot.episodes.custom import arrays_of_rows
from fewshot.episodes.digest import episodes_digest
from fewshot.episodes.files import read_episodes, write_episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.files.quoting import quoted
from fewshot.plugins.registry import DATASETS, SAMPLERS
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.episodes.labelled import Labelled

_MOST_SAMPLED = 1 << 26  # images of all episodes, an image counted in each of them


class Episodes(EpisodeArrays):
    """E episodes as rows of one data set. Ways, support and query are flat arrays, one episode after the other. Inside
    an episode rows are class-major, so labels follow from the counts: way w has `support_count[w]` adjacent rows.
    """

    @staticmethod
    def of(arrays: EpisodeArrays) -> Episodes:
        """The episodes of these arrays."""
        return Episodes(**{one.name: getattr(arrays, one.name) for one in fields(arrays)})

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
        held: Any = DATASETS.named(images).make().load() if isinstance(images, str | Path) else images
        names = held.class_names
        labels = np.arange(len(names)) if classes is None else np.array([_label(name, names) for name in classes])
        shape = EpisodeShape(n_way, k_shot, n_query)
        if type(n_episodes) is not int or n_episodes < 1:
            raise ValueError(f"n_episodes must be an integer of at least 1; got {n_episodes!r}")
        drawing = SAMPLERS.make(sampler)
        _check_memory(n_episodes, drawing.sample(held, labels, shape, seed, 0, 1))
        episodes: Episodes = drawing.sample(held, labels, shape, seed, 0, n_episodes)
        return episodes

    @staticmethod
    def from_rows(images: Labelled, support: Sequence[Sequence[int]], query: Sequence[Sequence[int]]) -> Episodes:
        """Custom episodes from the support rows and the query rows of each. Labels are those of the images; the ways of
        an episode are the classes of its support in order of first appearance. Raises the errors of `check`, and a
        ValueError for a query whose class has no support."""
        episodes = Episodes.of(arrays_of_rows(images, support, query))
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

    @cached_property
    def digest(self) -> str:
        """sha256 hex of the content of these episodes, the same on every machine."""
        return episodes_digest([self])

    def check(self, images: Labelled) -> None:
        """Raises a ValueError unless these are well-formed episodes of these images: rows in range, labels that
        agree, no image and no class twice in an episode, at least two classes, support for each, and a query."""
        checks.check_images(self, images)
        checks.check_layout(self, len(images))
        checks.check_labels(self, images)

    def save(self, path: str | Path, about: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Writes a small .safetensors file: the arrays, their digests as text, and the JSON values in `about`. It holds
        no pickle, so it is safe to share."""
        write_episodes(self, Path(path), about)

    @staticmethod
    def load(path: str | Path) -> Episodes:
        """The episodes of a file that `save` wrote. Any other file raises a ValueError that says what is wrong."""
        return Episodes.of(read_episodes(Path(path)))

    def __repr__(self) -> str:
        shape = self.shape
        sizes = "of unequal sizes"
        if shape is not None:
            sizes = f"{shape.n_way}-way {shape.k_shot}-shot, {counted(shape.n_query or 0, 'query')} per class"
        return f"Episodes({counted(len(self), 'episode')}, {sizes}, seed {self.seed})"

    def _repr_html_(self) -> str:
        """The sizes, and the support and some queries of the first episode, if its images are in memory."""
        from fewshot.episodes.shown import episode_html, images_in_memory, pictures

        images = images_in_memory(self.images_digest)
        if images is not None and len(self):
            with contextlib.suppress(ValueError):  # other images with this digest
                self[:1].check(images)
                return episode_html(repr(self), images, self[:1].rows_by_way())
        return pictures(repr(self), [], str, 0, "")

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


def _check_memory(n_episodes: int, first: Episodes) -> None:
    """Raises a ValueError if so many episodes like the first one do not fit in memory."""
    of_one = len(first.support) + len(first.query)
    if n_episodes * of_one > _MOST_SAMPLED:
        raise ValueError(
            f"{counted(n_episodes, 'episode')} of {of_one:,} images each do not fit in memory; sample at most "
            f"{_MOST_SAMPLED // of_one:,}"
        )


def _label(name: str, class_names: Sequence[str]) -> int:
    """The label of a class; an unknown name raises a ValueError."""
    if name not in class_names:
        known = ", ".join(class_names[:10]) + (f" and {len(class_names) - 10} more" if len(class_names) > 10 else "")
        raise ValueError(f"there is no class {quoted(name)}; the classes are {known}")
    return class_names.index(name)
