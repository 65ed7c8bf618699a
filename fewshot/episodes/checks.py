"""Checks of episodes that came from outside: a ValueError says what is wrong in the first wrong place."""

from __future__ import annotations

import numpy as np

from fewshot.episodes.arrays import EpisodeArrays
from fewshot.episodes.flat import Ints, Rows
from fewshot.episodes.labelled import Labelled
from fewshot.plugins.wording import counted


def check_images(episodes: EpisodeArrays, images: Labelled) -> None:
    """Raises a ValueError if the episodes were made for other images than these."""
    if episodes.images_digest != images.images_digest:
        raise ValueError(
            f"these episodes were made for images {episodes.images_digest[:12]}, but the data set is "
            f"{images.images_digest[:12]}; load the data set that they were made for"
        )


def check_labels(episodes: EpisodeArrays, images: Labelled) -> None:
    """Raises a ValueError if a row is listed under another class than its own."""
    for what in ("support", "query"):
        rows = getattr(episodes, what)
        classes = np.repeat(episodes.classes, getattr(episodes, f"{what}_count"))
        wrong = np.flatnonzero(images.labels[rows] != classes)
        if len(wrong):
            raise ValueError(
                f"{what} row {rows[wrong[0]]} has label {images.labels[rows[wrong[0]]]}, "
                f"but is listed under class {classes[wrong[0]]}"
            )


def check_layout(episodes: EpisodeArrays, n_images: int) -> None:
    """Raises a ValueError unless these are well-formed episodes of a data set with so many images."""
    _check_lengths(episodes)
    _check_counts(episodes)
    rows = np.concatenate([episodes.support, episodes.query])
    if len(rows) and not 0 <= rows.min() <= rows.max() < n_images:
        raise ValueError(f"rows must be in [0, {n_images}), found {rows.min()} to {rows.max()}")
    numbers, starts = np.arange(len(episodes)), (episodes.support_start, episodes.query_start)
    of_row = np.concatenate([np.repeat(numbers, np.diff(start)) for start in starts])
    _check_once(episodes, "image", of_row, rows)
    _check_once(episodes, "class", np.repeat(numbers, episodes.n_way), episodes.classes)


def _check_lengths(episodes: EpisodeArrays) -> None:
    """Raises a ValueError if an array is longer or shorter than the counts say."""
    sizes = {
        "classes": episodes.n_way.sum(),
        "support_count": episodes.n_way.sum(),
        "query_count": episodes.n_way.sum(),
        "n_way": len(episodes),
        "support": episodes.support_count.sum(),
        "query": episodes.query_count.sum(),
    }
    for name, size in sizes.items():
        if getattr(episodes, name).shape != (size,):
            raise ValueError(
                f"{name} should hold {counted(int(size), 'entry')}, found {len(getattr(episodes, name))}: "
                "the file is damaged or was not written by fewshot"
            )


def _check_counts(episodes: EpisodeArrays) -> None:
    """Raises a ValueError unless every episode has two classes with support images, and a query."""
    few = np.flatnonzero(episodes.n_way < 2)
    if len(few):
        raise ValueError(
            f"episode {episodes.index[few[0]]} has support images of {episodes.n_way[few[0]]} classes; "
            "at least 2 are needed"
        )
    without = np.repeat(np.diff(episodes.support_start) == 0, episodes.n_way)  # ways of 0-shot episodes
    if episodes.support_count[~without].min(initial=1) < 1 or episodes.query_count.min(initial=0) < 0:
        raise ValueError(
            "every class of an episode needs a support image; the lowest counts are "
            f"{episodes.support_count.min()} support and {episodes.query_count.min()} query"
        )
    unasked = np.flatnonzero(np.diff(episodes.query_start) == 0)
    if len(unasked):
        raise ValueError(f"episode {episodes.index[unasked[0]]} has no query image; give it at least one")


def _check_once(episodes: EpisodeArrays, what: str, episode: Ints, members: Rows) -> None:
    """Raises a ValueError if an image or a class is twice in one episode."""
    order = np.lexsort((members, episode))
    at, member = episode[order], members[order]
    twice = np.flatnonzero((at[1:] == at[:-1]) & (member[1:] == member[:-1]))
    if len(twice):
        raise ValueError(
            f"{what} {member[twice[0]]} is twice in episode {episodes.index[at[twice[0]]]}; "
            f"an episode holds each {what} once"
        )
