"""The episode that a report shows, or one sentence that says why it shows none."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewshot.datasets import LabelledImages
from fewshot.report.pictures.episode import draw_episode
from fewshot.report.rows.tasks import accuracy, contender, measured, shot_label, tasks
from fewshot.report.rows.wording import contender_names
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row


@dataclass(frozen=True)
class Example:
    """A drawn episode as a data address of its PNG (empty where there is none), and what it is in words."""

    png: str
    text: str


def example(rows: Sequence[Row], results: Results | None, load: Callable[[str], LabelledImages]) -> Example:
    """The first episode of the best run of the first task. Whatever is missing becomes a sentence, never an error."""
    row = chosen(rows)
    if row is None:
        return Example("", "No episode is drawn: no run was measured.")
    if results is None:
        return Example("", "No episode is drawn: the predictions of these rows were not given.")
    try:
        return _drawn(row, results, rows, load)
    except Exception as error:  # strangers' images and plug-ins may fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        return Example("", f"No episode is drawn: {reason}.")


def chosen(rows: Sequence[Row]) -> Row | None:
    """The most accurate row of the first task among those with the most episodes; of equal ones the first."""
    for task in tasks(rows):
        found = [row for row in task.rows if measured(row)]
        most = max((row.n_episodes for row in found), default=0)
        if found:
            return max((row for row in found if row.n_episodes == most), key=accuracy)
    return None


def _drawn(row: Row, results: Results, rows: Sequence[Row], load: Callable[[str], LabelledImages]) -> Example:
    predictions = next(iter(results.parts(row.run_id).read(1)))
    images = load(row.dataset)
    png = draw_episode(images, predictions.episodes, 0, predictions)
    right = 100 * episode_accuracy(predictions)[0]
    who = " with ".join(contender_names(rows)[contender(row)])
    text = (
        f"Episode {predictions.episodes.index[0]} of {images.name}, {shot_label(row)}, answered by {who}: "
        f"{right:.1f} % of its queries right, over all {row.n_episodes} episodes {100 * accuracy(row):.1f} %. "
        "It is the first episode, not a chosen one."
    )
    return Example("data:image/png;base64," + base64.b64encode(png).decode(), text)
