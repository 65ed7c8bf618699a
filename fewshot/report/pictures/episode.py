"""A picture of one episode: its support, its queries, and which predictions are right."""

from __future__ import annotations

import io
from dataclasses import dataclass

from matplotlib.axes import Axes

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes
from fewshot.report.figures.svg import settings
from fewshot.report.pictures.tiles import (
    CAPTION,
    CELL,
    FAINT,
    IMAGE,
    INK,
    QUIET,
    Answer,
    plot_answer,
    plot_image,
    sheet,
    short,
)
from fewshot.results.predictions import Predictions

MOST_WAYS, MOST_SUPPORT, MOST_QUERIES = 20, 10, 15  # shown of an episode
_SUPPORT_COLUMNS, _QUERY_COLUMNS = 5, 8
_MARGIN, _GAP, _TOP, _NAME = 8, 26, 30, 26  # pixels: around, between support and queries, above, for a class name


@dataclass(frozen=True)
class _Way:
    """A class of the episode: the rows to show, the number of all rows, and the answers to the queries shown."""

    name: str
    support: list[int]
    n_support: int
    query: list[int]
    n_query: int
    answers: list[Answer]

    @property
    def lines(self) -> int:
        """The number of lines for its images."""
        return max(1, -(-len(self.support) // _SUPPORT_COLUMNS), -(-len(self.query) // _QUERY_COLUMNS))


def plot_episode(
    images: LabelledImages,
    episodes: Episodes,
    position: int,
    predictions: Predictions | None = None,
    most_images: int | None = None,
) -> bytes:
    """A PNG of the episode at `position`: support left, queries right, at most 15 per class, and about `most_images` in
    all, at least one of each side per class.

    With predictions, every query has a tick or a cross, and a wrong one also the predicted class. The same arguments
    give the same bytes. Other images, another position, or predictions for other episodes raise a ValueError.
    """
    _check(images, episodes, position, predictions)
    ways = _ways(images, episodes, position, predictions, most_images)
    columns = min(_SUPPORT_COLUMNS, max(len(way.support) for way in ways))
    wide = min(_QUERY_COLUMNS, max(1, *(len(way.query) for way in ways)))
    width = max((columns + wide) * CELL + _GAP, 4 * CELL) + _MARGIN
    with settings(**{"text.color": INK, "font.size": 10}):
        figure, axes = sheet(width, _TOP + sum(_height(way) for way in ways))
        _say_columns(axes, columns, int(episodes.n_way[position]), len(ways))
        for number, way in enumerate(ways):
            _plot_way(axes, images, way, _TOP + sum(map(_height, ways[:number])), columns, width)
        png = io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None}, facecolor="white")
    return png.getvalue()


def _check(images: LabelledImages, episodes: Episodes, position: int, predictions: Predictions | None) -> None:
    if images.vectors is not None:
        raise ValueError(f"{images.name} holds vectors, no pictures")
    if episodes.images_digest != images.images_digest:
        raise ValueError(
            f"the episodes were made for images {episodes.images_digest[:12]}, but the data set is "
            f"{images.images_digest[:12]}; load the data set that they were made for"
        )
    if not 0 <= position < len(episodes):
        raise ValueError(f"there is no episode at position {position}; give one of 0 to {len(episodes) - 1}")
    if predictions is not None and predictions.episodes.digest != episodes.digest:
        raise ValueError("the predictions were made for other episodes; give their own, predictions.episodes")


def _ways(
    images: LabelledImages,
    episodes: Episodes,
    position: int,
    predictions: Predictions | None,
    most_images: int | None,
) -> list[_Way]:
    """The classes of an episode in its order, at most MOST_WAYS."""
    first, last = episodes.way_start[position : position + 2]
    names = [images.class_names[label] for label in episodes.classes[first:last]]
    support_at, query_at = int(episodes.support_start[position]), int(episodes.query_start[position])
    ways, of_class = [], None if most_images is None else most_images // min(len(names), MOST_WAYS)
    for way, name in enumerate(names):
        n_support, n_query = (int(counts[first + way]) for counts in (episodes.support_count, episodes.query_count))
        most_support, most_queries = _limits(n_support, of_class)
        shown = slice(query_at, query_at + min(n_query, most_queries))
        predicted = [] if predictions is None else predictions.predicted[shown].tolist()
        support = episodes.support[support_at : support_at + min(n_support, most_support)].tolist()
        ways.append(
            _Way(
                name,
                support,
                n_support,
                episodes.query[shown].tolist(),
                n_query,
                [Answer(names[p], p == way) for p in predicted],
            )
        )
        support_at, query_at = support_at + n_support, query_at + n_query
    return ways[:MOST_WAYS]


def _limits(n_support: int, of_class: int | None) -> tuple[int, int]:
    """The most support images and the most queries of a class with `of_class` images in all; None: any number."""
    if of_class is None:
        return MOST_SUPPORT, MOST_QUERIES
    support = max(1, min(MOST_SUPPORT, of_class // 2))
    return support, max(1, min(MOST_QUERIES, of_class - min(n_support, support)))


def _height(way: _Way) -> int:
    return _NAME + way.lines * (CELL + CAPTION)


def _say_columns(axes: Axes, columns: int, n_way: int, shown: int) -> None:
    more = f" ({shown} of {n_way} classes)" if shown < n_way else ""
    for x, text in ((_MARGIN, "support"), (_query_left(columns), "queries" + more)):
        axes.text(x, 14, text, color=QUIET, va="center", fontsize=11)


def _plot_way(axes: Axes, images: LabelledImages, way: _Way, top: float, columns: int, width: float) -> None:
    axes.plot([_MARGIN, width - _MARGIN], [top, top], color=FAINT, linewidth=0.8)
    axes.text(_MARGIN, top + 14, short(way.name, 48), weight="bold", va="center", fontsize=11)
    shown = (("support images", len(way.support), way.n_support), ("queries", len(way.query), way.n_query))
    counts = [f"{some} of {n} {what}" for what, some, n in shown if some < n]
    axes.text(width - _MARGIN, top + 14, ", ".join(counts), color=QUIET, va="center", ha="right", fontsize=9)
    for number, row in enumerate(way.support):
        plot_image(axes, images.images[row], *_corner(number, _SUPPORT_COLUMNS, _MARGIN, top))
    for number, row in enumerate(way.query):
        left, above = _corner(number, _QUERY_COLUMNS, _query_left(columns), top)
        plot_image(axes, images.images[row], left, above)
        if way.answers:
            plot_answer(axes, way.answers[number], left, above)


def _corner(number: int, columns: int, left: float, top: float) -> tuple[float, float]:
    line, column = divmod(number, columns)
    return left + column * CELL, top + _NAME + 4 + line * (CELL + CAPTION)


def _query_left(columns: int) -> float:
    return _MARGIN + columns * CELL + _GAP - (CELL - IMAGE)
