"""The episode in a report, or one sentence that says why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fewshot.datasets import LabelledImages
from fewshot.report.pictures.addresses import address
from fewshot.report.pictures.episode import plot_episode
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import Task, accuracy, measured, shot_label
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row


@dataclass(frozen=True)
class Example:
    """A picture of an episode as a data address ("" if there is none), and its caption."""

    address: str
    text: str


def few_images(n_way: int) -> int:
    """The most images of an episode of so many ways in a small picture: a line per class, at most 160 in all."""
    return min(9 * n_way, 160)


def example(shown: Shown, results: Results | None, load: Callable[[Row], LabelledImages]) -> Example:
    """The first episode of the best run of the first task. If something is missing, the caption says so."""
    row = chosen(shown)
    if row is None:
        return Example("", "No episode is shown: no run was measured.")
    if results is None:
        return Example("", "No episode is shown: the predictions of these rows were not given.")
    try:
        return _picture(row, results, shown, load)
    except Exception as error:  # strangers' images and plug-ins may fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        return Example("", f"No episode is shown: {reason}.")


def chosen(shown: Shown) -> Row | None:
    """The best row of the first measured task."""
    return next((row for task in shown.tasks if (row := best_of(task)) is not None), None)


def best_of(task: Task) -> Row | None:
    """The most accurate row of a task among those with the most episodes, at any shot; of equal ones the first."""
    found = [row for row in task.rows if measured(row)]
    return max(found, key=lambda row: (row.n_episodes, accuracy(row)), default=None)


def _picture(row: Row, results: Results, shown: Shown, load: Callable[[Row], LabelledImages]) -> Example:
    part = next(results.predictions(row), None)
    if part is None:
        return Example("", "No episode is shown: the best run has no episodes.")
    predictions = part[:1]
    images = load(row)
    png = plot_episode(images, predictions.episodes, 0, predictions, few_images(int(predictions.episodes.n_way[0])))
    right = 100 * episode_accuracy(predictions)[0]
    text = (
        f"Episode {predictions.episodes.index[0]} of {images.name}, {shot_label(row)}, answered by "
        f"{shown.name(row).whole}: {right:.1f} % of its queries right, over all {row.n_episodes} "
        f"episodes {100 * accuracy(row):.1f} %. It is the first episode, not a chosen one."
    )
    return Example(address(png), text)
