"""Custom episodes: arrays from the support rows and the query rows that a user gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.episodes.arrays import EpisodeArrays
from fewshot.episodes.flat import Ints, Rows
from fewshot.episodes.labelled import Labelled
from fewshot.files.quoting import quoted


def arrays_of_rows(images: Labelled, support: Sequence[Sequence[int]], query: Sequence[Sequence[int]]) -> EpisodeArrays:
    """The arrays of episodes with these support rows and query rows; the ways of an episode are the classes of its
    support in order of first appearance."""
    if len(support) != len(query) or len(support) == 0:
        raise ValueError(
            f"custom episodes need as many query lists as support lists, at least one; "
            f"got {len(support)} support and {len(query)} query lists"
        )
    parts = [_one_episode(images, e, s, q) for e, (s, q) in enumerate(zip(support, query, strict=True))]
    columns: list[Rows] = [np.concatenate(column).astype(np.int32) for column in zip(*parts, strict=True)]
    classes, support_count, query_count, support_rows, query_rows = columns
    return EpisodeArrays(
        np.arange(len(parts)),
        np.array([len(part[0]) for part in parts], dtype=np.int32),
        classes,
        support_count,
        query_count,
        support_rows,
        query_rows,
        images.images_digest,
    )


def _one_episode(
    images: Labelled, episode: int, support: Sequence[int], query: Sequence[int]
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Classes, counts and class-major rows of a custom episode."""
    rows = [_rows_in_range(images, episode, part) for part in (support, query)]
    labels = [images.labels[part] for part in rows]
    _, first = np.unique(labels[0], return_index=True)
    classes = labels[0][np.sort(first)]
    unknown = np.setdiff1d(labels[1], classes)
    if len(unknown):
        raise ValueError(
            f"episode {episode}: a query image is of class {quoted(images.class_names[unknown[0]])}, "
            "which has no support image in this episode"
        )
    counts = [(part[None, :] == classes[:, None]).sum(1) for part in labels]
    grouped = [
        np.concatenate([r[p == c] for c in classes]) if len(classes) else r for r, p in zip(rows, labels, strict=True)
    ]
    return classes, counts[0], counts[1], grouped[0], grouped[1]


def _rows_in_range(images: Labelled, episode: int, given: Sequence[int]) -> Ints:
    """The rows as an array; rows that are no integers, or of no image, raise a ValueError."""
    rows = np.asarray(given).reshape(-1)
    if len(rows) and rows.dtype.kind not in "iu":
        raise ValueError(f"episode {episode}: rows must be integers, found {rows.dtype} such as {rows[0]}")
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(images):
        raise ValueError(f"episode {episode}: rows must be in [0, {len(images)}), found {rows.min()} to {rows.max()}")
    return rows.astype(np.int64)
