"""The columns of a row that are computed: from predictions, and from what they were made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, Ints, episodes_digest
from fewshot.measures.calibration import UnitCalibration, answers_of, calibration_interval
from fewshot.measures.lowest import lowest_tenth_interval
from fewshot.measures.per_class import ClassAccuracy, lowest_class
from fewshot.measures.per_episode import log_loss, macro_f1
from fewshot.measures.per_image import ImageAnswers
from fewshot.measures.ranking import ranking
from fewshot.plugins.spec import Spec
from fewshot.results import provenance
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.seen_classes import SEEN, UNKNOWN, seen_classes, seen_in_training
from fewshot.statistics.intervals import (
    NEW_DRAWS,
    Floats,
    Integers,
    Interval,
    Units,
    class_interval,
    draw_interval,
    episode_interval,
    pool_interval,
)

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

_MOST_DRAWS = 100  # whose accuracies a row lists
_NO_LOGITS = "logits were not kept: they would take more than 64 MiB"
_NO_ORDER = "no episode asks for a class and for others"


@dataclass(frozen=True, eq=False)
class Design:
    """How episodes came about, as far as intervals depend on it."""

    class_names: Sequence[str]  # of every label
    classes: Ints  # labels of the classes that episodes are drawn from
    pools_of: Callable[[Ints], Ints] = np.zeros_like  # the disjoint pool of images of each episode, by its index
    groups: tuple[str, Ints] | None = None  # where episodes draw groups of classes: their name, the group of each label

    @cached_property
    def unit_name(self) -> str:
        """What an interval for new classes deletes: classes, or the groups that episodes draw."""
        return "classes" if self.groups is None else self.groups[0]

    @cached_property
    def n_units(self) -> int:
        """How many of them episodes are drawn from."""
        return len(self._drawn)

    def place(self, labels: Integers) -> Integers:
        """The unit of each of these labels, in [0, n_units), in as few bytes as that takes."""
        return np.searchsorted(self._drawn, self._codes[labels]).astype(np.min_scalar_type(self.n_units))

    @cached_property
    def _codes(self) -> Ints:
        return np.arange(len(self.class_names)) if self.groups is None else self.groups[1]

    @cached_property
    def _drawn(self) -> Ints:
        return np.unique(self._codes[self.classes])


def measures(parts: Iterable[Predictions], design: Design) -> dict[str, Any]:
    """The columns that are computed from predictions, read once and held a part at a time; of every episode its
    classes and its measures are kept, and of its queries counts."""
    read = _Read(design)
    digest = episodes_digest(read.episodes(parts))
    values = read.whole("accuracy")
    units = Units(read.whole("held"), read.whole("n_way"), design.n_units, design.unit_name)
    half_query = 0.5 / max(1, read.n_queries)
    interval = episode_interval(values)
    label = lowest_class(read.by_class)
    return {
        "n_episodes": len(values),
        "n_not_converged": read.n_not_converged,
        "accuracy": interval.mean,
        **_bounds("accuracy", interval),
        "accuracy_reason": interval.reason,
        "population": interval.population,
        **_new_images(values, read.whole("pools")),
        **_new_classes(class_interval(values, units, half_query=half_query)),
        **_new_draws(values, read.by_image, bool((units.n_way >= len(design.classes)).all())),
        "lowest_class": "" if label is None else design.class_names[label[0]],
        "lowest_class_accuracy": None if label is None else label[1],
        **_measure("macro_f1", _over_episodes(read.whole("macro_f1"), units, half_query)),
        **_measure("log_loss", _over_episodes(read.whole("log_loss"), units)),
        **_measure("calibration_error", calibration_interval(read.calibration, units)),
        **_ranking(read, units, half_query),
        **_measure("lowest_tenth", lowest_tenth_interval(values, units, half_query)),  # last: it needs the most room
        "episodes_digest": digest,
    }


@dataclass(eq=False)
class _Read:
    """What is kept of predictions that were read."""

    design: Design
    kept: dict[str, list[Any]] = field(default_factory=dict)  # arrays of every part, by name
    by_class: ClassAccuracy = field(default_factory=ClassAccuracy)
    by_image: ImageAnswers = field(default_factory=ImageAnswers)
    n_not_converged: int = 0
    n_queries: int = 0
    all_logits: bool = True
    calibration: UnitCalibration = field(init=False)

    def __post_init__(self) -> None:
        self.calibration = UnitCalibration(self.design.n_units)

    def episodes(self, parts: Iterable[Predictions]) -> Iterator[Episodes]:
        """The episodes of the parts, each measured before the next is read."""
        for part in parts:
            self._add(part)
            yield part.episodes
            del part  # before the next is read

    def _add(self, part: Predictions) -> None:
        design, episodes = self.design, part.episodes
        units = Units(design.place(episodes.classes), episodes.n_way, design.n_units)
        new = {
            "accuracy": episode_accuracy(part),
            "macro_f1": macro_f1(part),
            "log_loss": log_loss(part),
            "held": units.held,
            "n_way": units.n_way,
            "pools": design.pools_of(episodes.index),
        }
        self.all_logits &= part.logits is not None
        if self.all_logits:
            new["auroc"], new["average_precision"] = ranking(part)
        for name, array in new.items():
            self.kept.setdefault(name, []).append(array)
        self.calibration.add(answers_of(part), episodes.query_start, units)
        for tally in (self.by_class, self.by_image):
            tally.add(part)
        self.n_not_converged += int((~part.converged).sum())
        self.n_queries += len(part.predicted)

    def whole(self, name: str) -> NDArray[Any]:
        """What was kept of all parts, in one array; it is kept no longer."""
        return np.concatenate(self.kept.pop(name))


def _over_episodes(values: Floats, units: Units, half_query: float | None = None) -> Interval:
    """The mean over the episodes where a measure is defined, for new classes."""
    known = np.isfinite(values)
    if not known.any():
        return Interval.unknown(float("nan"), f"new {units.name}", 0.95, _NO_ORDER)
    return class_interval(values[known], units if known.all() else units.at(known), half_query=half_query)


def _bounds(name: str, found: Interval) -> dict[str, float | None]:
    known = not found.reason
    return {f"{name}_low": found.low if known else None, f"{name}_high": found.high if known else None}


def _measure(name: str, found: Interval) -> dict[str, float | None]:
    return {name: found.mean if np.isfinite(found.mean) else None, **_bounds(name, found)}


def _new_images(values: Floats, pools: Ints) -> dict[str, Any]:
    """The interval for new images of these classes, where episodes come from enough disjoint pools of them."""
    found = pool_interval(values, pools)
    return {**_bounds("new_images", found), "new_images_reason": found.reason}


def _new_classes(found: Interval) -> dict[str, Any]:
    """The interval for new classes, or new groups of them."""
    return {
        **_bounds("new_classes", found),
        "new_classes_unit": found.population.removeprefix("new "),
        "new_classes_monte_carlo": None if found.reason else found.monte_carlo,
        "new_classes_reason": found.reason,
    }


def _new_draws(values: Floats, by_image: ImageAnswers, all_way: bool) -> dict[str, Any]:
    """The interval for new supports and new images, where every episode answers the same test set of all classes as a
    whole; then the accuracy of each draw of a support too."""
    if not (all_way and by_image.whole):
        found = Interval.unknown(float("nan"), NEW_DRAWS, 0.95, "the episodes do not answer all of a test set each")
        return {**_bounds("new_draws", found), "new_draws_reason": found.reason}
    found = draw_interval(values, *by_image.accuracy())
    listed = " ".join(f"{value:.6g}" for value in values) if len(values) <= _MOST_DRAWS else ""
    return {**_bounds("new_draws", found), "new_draws_reason": found.reason, "draws": listed}


def _ranking(read: _Read, units: Units, half_query: float) -> dict[str, Any]:
    """AUROC and average precision, or why they are absent."""
    names = ("auroc", "average_precision")
    if not read.all_logits:
        return {"ranking_reason": _NO_LOGITS}
    found = {name: _over_episodes(read.whole(name), units, half_query) for name in names}
    columns = {key: value for name in names for key, value in _measure(name, found[name]).items()}
    return columns | {"ranking_reason": _NO_ORDER if columns["auroc"] is None else ""}


def made_with(evaluator: Spec, images: LabelledImages, classes: Ints, backbone: Backbone) -> dict[str, Any]:
    """The columns that say with what, and how honestly, a number was made on these classes (labels)."""
    from fewshot.evaluators import TransductiveEvaluator

    made = evaluator.make()
    return {
        "transductive": isinstance(made, TransductiveEvaluator),
        "selection": "support" if made.n_trials() > 1 else "none",
        "n_trials": made.n_trials(),
        "pretrained_on": backbone.pretrained_on,
        **_seen(images, classes, backbone),
        "n_params": backbone.n_params,
        "dim": backbone.dim,
        "images_digest": images.images_digest,
        "classes_digest": images.classes_digest,
        "weights_digest": backbone.weights_digest,
        "preprocess_digest": backbone.preprocess_digest,
        **provenance.columns(backbone.device.type),
        **_training(backbone),
    }


def _training(backbone: Backbone) -> dict[str, Any]:
    """The columns of a network that was trained here; none of another."""
    record = backbone.training
    if record is None:
        return {}
    return {
        "recipe": record.recipe,
        "training_rule": record.rule,
        "network": record.network,
        "started_on": record.started_on,
        "training_seed": record.seed,
        "training_classes": len(record.classes),
        "unique_images": record.unique_images,
        "images_processed": record.images_processed,
        "training_trials": record.n_trials,
        "first_loss": record.first_loss,
        "training_loss": record.training_loss,
        "validation_loss": record.validation_loss,
        "seen_error": record.seen_error,
        "seen_loss": record.seen_loss,
        "n_held_out": record.n_held_out,
    }


def _seen(images: LabelledImages, classes: Ints, backbone: Backbone) -> dict[str, Any]:
    """The columns that say which of these classes were in the training data of the weights."""
    names, record = [images.class_names[label] for label in classes], backbone.training
    if record is not None:
        found = seen_in_training(record, images.name, names)
    else:
        found = seen_classes(backbone.pretrained_on, images.name, names)
    return {
        "seen_classes": found.state,
        "n_seen_classes": found.count(SEEN),
        "n_unknown_classes": found.count(UNKNOWN),
        "seen_classes_by": found.by,
    }
