"""Inside the best run of each task: its calibration, its classes, and its worst episodes, with pictures if the images
are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.measures._per_class import ClassAccuracy, Mistakes
from fewshot.measures.calibration_error import Calibration, answers_of
from fewshot.measures.lowest_tenth import FEWEST, lowest_tenth
from fewshot.plugins.wording import counted
from fewshot.report.figures.calibration import reliability_diagram
from fewshot.report.figures.plots import Plot
from fewshot.report.pictures.addresses import address
from fewshot.report.pictures.episode import MOST_WAYS, plot_episode
from fewshot.report.pictures.example import Example, best_of, few_images
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import shot_label
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.row import Row

N_HARDEST, N_SHOWN, _MOST_NAMED = 10, 2, 8
MOST_TASKS, _MOST_TITLES = 4, 12  # tasks that are looked into, and others that are named
Load = Callable[[Row], LabelledImages]


@dataclass(frozen=True)
class ClassLine:
    """A class, its accuracy, the number of its episodes, and the class that it was taken for most often ("": none)."""

    name: str
    accuracy: float
    n_episodes: int
    taken_for: str


@dataclass(frozen=True)
class HardEpisode:
    """A hard episode: its index, its accuracy and its classes."""

    index: int
    accuracy: float
    classes: str


@dataclass(frozen=True)
class Inside:
    """What predictions show beyond the row of their run; without them, `text` says why not. `task` is the title of the
    task, "" if the text is about all tasks."""

    text: str
    task: str = ""
    calibration: Plot | None = None
    classes: tuple[ClassLine, ...] = ()
    hardest: tuple[HardEpisode, ...] = ()
    hardest_text: str = ""
    pictures: tuple[Example, ...] = ()


def inside(shown: Shown, results: Results | None, load: Load) -> tuple[Inside, ...]:
    """A look inside the best run of each of the first tasks. If something is missing, the text says so."""
    best = [(task.title, row) for task in shown.tasks if (row := best_of(task)) is not None]
    if not best or results is None:
        return (Inside("The predictions of these rows were not given, so no run can be looked into."),)
    found = []
    for number, (title, row) in enumerate(best[:MOST_TASKS]):
        who = f"{shown.name(row).whole}, {shot_label(row)}: the best run of this task."
        found.append(_attempt(number, title, who, row, results, load))
    if not any(each.calibration for each in found):
        return (Inside(found[0].text),)
    if len(best) > MOST_TASKS:
        titles = [title for title, _ in best[MOST_TASKS:]]
        more = f"; and {len(titles) - _MOST_TITLES} more" if len(titles) > _MOST_TITLES else ""
        found.append(Inside(f"Not looked into: {'; '.join(titles[:_MOST_TITLES])}{more}."))
    return tuple(found)


def _attempt(number: int, title: str, who: str, row: Row, results: Results, load: Load) -> Inside:
    """A look inside a run, or the reason why not."""
    try:
        read = partial(results.predictions, row)
        return _looked_into(number, title, who, row, read, load)
    except Exception as error:  # files of strangers may fail in any way
        return Inside(f"No run can be looked into: {_reason(error)}.", title)


def _looked_into(
    number: int, title: str, who: str, row: Row, read: Callable[[], Iterable[Predictions]], load: Load
) -> Inside:
    found = _Found()
    for part in read():
        found.add(part)
    try:
        images: LabelledImages | None = load(row)
        missing = ""
    except Exception as error:
        images, missing = None, f"The data set cannot be loaded ({_reason(error)}), so classes are numbers."
    hardest = _taken(read(), found.hardest)
    return Inside(
        f"{who} {missing}".strip(),
        title,
        reliability_diagram(found.calibration.bins(), f"calibration-{number}"),
        _classes(found, images),
        tuple(_hard(one, images) for one in hardest),
        found.text,
        _pictures(hardest[:N_SHOWN], images),
    )


@dataclass(eq=False)
class _Found:
    """What stays in memory of the predictions while they are read."""

    accuracy: list[np.ndarray] = field(default_factory=list)
    by_class: ClassAccuracy = field(default_factory=ClassAccuracy)
    mistakes: Mistakes = field(default_factory=Mistakes)
    calibration: Calibration = field(default_factory=Calibration)

    def add(self, part: Predictions) -> None:
        self.accuracy.append(episode_accuracy(part))
        self.by_class.add(part)
        self.mistakes.add(part)
        self.calibration.add(answers_of(part))

    @property
    def hardest(self) -> list[int]:
        """Positions of the worst episodes, the worst first; of equal ones the earlier."""
        return np.argsort(np.concatenate(self.accuracy), kind="stable")[:N_HARDEST].tolist()  # type: ignore[no-any-return]

    @property
    def text(self) -> str:
        """All episodes in a sentence."""
        values = np.concatenate(self.accuracy)
        if len(values) < FEWEST:
            return f"All {len(values)} episodes, the hardest first." if len(values) > 1 else "There is one episode."
        return (
            f"The {len(values)} episodes have an accuracy of {100 * values.mean():.1f} % on average; the tenth of them "
            f"that went worst has {100 * lowest_tenth(values):.1f} %, the single worst {100 * values.min():.1f} %. Few "
            "queries make some episodes look hard by chance."
        )


def _taken(parts: Iterable[Predictions], positions: Sequence[int]) -> list[Predictions]:
    """The episodes at these positions, one by one."""
    taken: dict[int, Predictions] = {}
    start = 0
    for part in parts:
        for position in positions:
            if start <= position < start + len(part):
                taken[position] = part.take(np.array([position - start]))
        start += len(part)
    return [taken[position] for position in positions]


def _classes(found: _Found, images: LabelledImages | None) -> tuple[ClassLine, ...]:
    """The classes of the episodes, the lowest accuracy first."""
    mean, n_episodes, mistakes = found.by_class.mean, found.by_class.n_episodes, found.mistakes.most_often()
    asked = np.flatnonzero(n_episodes)
    lines = []
    for label in asked[np.argsort(mean[asked], kind="stable")].tolist():
        other, often = mistakes.get(label, (-1, 0))
        taken_for = f"{_name(images, other)}, {counted(often, 'time')}" if often else ""
        lines.append(ClassLine(_name(images, label), float(mean[label]), int(n_episodes[label]), taken_for))
    return tuple(lines)


def _hard(one: Predictions, images: LabelledImages | None) -> HardEpisode:
    labels = one.episodes.classes.tolist()
    names = [_name(images, label) for label in labels[:_MOST_NAMED]]
    more = [f"and {len(labels) - _MOST_NAMED} more"] if len(labels) > _MOST_NAMED else []
    return HardEpisode(int(one.episodes.index[0]), float(episode_accuracy(one)[0]), ", ".join(names + more))


def _pictures(hardest: Sequence[Predictions], images: LabelledImages | None) -> tuple[Example, ...]:
    """Pictures of the hardest episodes, or a sentence why there are none."""
    if images is None:
        return (Example("", "No episode is shown: the data set cannot be loaded."),)
    most = max((int(one.episodes.n_way[0]) for one in hardest), default=0)
    if most > MOST_WAYS:
        return (Example("", f"None of these is shown: a picture holds {MOST_WAYS} classes, not {most}."),)
    pictures = []
    for one in hardest:
        try:
            png = plot_episode(images, one.episodes, 0, one, few_images(int(one.episodes.n_way[0])))
        except Exception as error:  # images of strangers may fail in any way
            return (Example("", f"No hard episode is shown: {_reason(error)}."),)
        said = f"Episode {one.episodes.index[0]}, chosen because it went badly: {100 * episode_accuracy(one)[0]:.1f} %."
        pictures.append(Example(address(png), said))
    return tuple(pictures)


def _name(images: LabelledImages | None, label: int) -> str:
    return f"class {label}" if images is None else images.class_names[label]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
