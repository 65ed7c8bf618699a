"""The computed columns of a row: from predictions, and from the members and data behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fewshot.datasets import LabelledImages
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints, episodes_digest
from fewshot.measures import Tally, Whole
from fewshot.measures._per_image import ImageAnswers
from fewshot.plugins.registry import MEASURES
from fewshot.plugins.spec import Spec
from fewshot.results.columns import Digests, Honesty, Score, SpecColumns, Training, Value
from fewshot.results.declared import declared
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.results.seen_classes import SEEN, UNKNOWN, SeenClasses, seen_classes, seen_in_training
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.statistics.intervals import (
    DEPENDENT_DRAWS,
    FRACTION,
    NEW_DRAWS,
    THESE_IMAGES,
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
    from fewshot.backbones._words import Prompts

_MOST_DRAWS = 100  # the most accuracies of draws in a row


@dataclass(frozen=True, eq=False)
class Design:
    """The parts of the design of episodes that the intervals depend on."""

    class_names: Sequence[str]  # of every label
    classes: Ints  # labels of the classes that episodes are drawn from
    pools_of: Callable[[Ints], Ints] = np.zeros_like  # the disjoint pool of images of each episode, by its index
    groups: tuple[str, Ints] | None = None  # where episodes draw groups of classes: their name, the group of each label
    draws_depend: bool = False  # whether one episode fixes the next, so that their spread is no error

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


def score(parts: Iterable[Predictions], design: Design) -> tuple[Score, str]:
    """The score of predictions, and the digest of their episodes. This reads predictions once, one part at a time, and
    keeps the classes and measures of every episode and counts of its queries."""
    read = _Read(design)
    digest = episodes_digest(read.episodes(parts))
    values = read.whole("accuracy")
    units = Units(read.whole("held"), read.whole("n_way"), design.n_units, design.unit_name)
    half_query = 0.5 / max(1, read.n_queries)
    these = _these_images(values, design.draws_depend)
    new_images = pool_interval(values, read.whole("pools")).inside(FRACTION)
    new_classes = class_interval(values, units, half_query=half_query)
    whole_sets = bool((units.n_way >= len(design.classes)).all()) and read.by_image.whole
    new_draws = _draw_interval(values, read.by_image if whole_sets else None, design.draws_depend)
    scored = Score(
        n_episodes=len(values),
        n_classes=len(design.classes),
        accuracy=these.mean,
        accuracy_low=_low(these),
        accuracy_high=_high(these),
        accuracy_reason=these.reason,
        population=these.population,
        new_images_low=_low(new_images),
        new_images_high=_high(new_images),
        new_images_reason=new_images.reason,
        new_classes_low=_low(new_classes),
        new_classes_high=_high(new_classes),
        new_classes_unit=new_classes.population.removeprefix("new "),
        new_classes_monte_carlo=None if new_classes.reason else new_classes.monte_carlo,
        new_classes_reason=new_classes.reason,
        new_draws_low=_low(new_draws),
        new_draws_high=_high(new_draws),
        new_draws_reason=new_draws.reason,
        draws=_listed(values) if whole_sets else "",
        measures=read.measures(Whole(values, units, half_query, design.class_names)),
        n_not_converged=read.n_not_converged,
        support_choices=read.choices(),
    )
    return scored, digest


@dataclass(eq=False)
class _Read:
    """The values kept of predictions."""

    design: Design
    kept: dict[str, list[Any]] = field(default_factory=dict)  # arrays of every part, by name
    by_image: ImageAnswers = field(default_factory=ImageAnswers)
    n_not_converged: int = 0
    n_queries: int = 0
    settings: list[Integers | None] = field(default_factory=list)  # what the episodes of every part chose
    tallies: list[Tally] = field(init=False)  # of all registered measures

    def __post_init__(self) -> None:
        measures = (MEASURES.make(measure.name) for measure in declared())
        self.tallies = [measure.tally(self.design.n_units) for measure in measures]

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
            "held": units.held,
            "n_way": units.n_way,
            "pools": design.pools_of(episodes.index),
        }
        for name, array in new.items():
            self.kept.setdefault(name, []).append(array)
        self.by_image.add(part)
        for tally in self.tallies:
            tally.add(part, units)
        self.n_not_converged += int((~part.converged).sum())
        self.n_queries += len(part.predicted)
        self.settings.append(part.setting)

    def whole(self, name: str) -> NDArray[Any]:
        """The kept values of all parts as one array; this frees them."""
        return np.concatenate(self.kept.pop(name))

    def choices(self) -> str:
        """How many episodes chose each setting, as JSON; "" where they chose none."""
        known = [setting for setting in self.settings if setting is not None]
        if not known or len(known) < len(self.settings):
            return ""
        return json.dumps(np.bincount(np.concatenate(known)).tolist())

    def measures(self, whole: Whole) -> dict[str, Value]:
        """The columns of all measures. This frees each tally after use, the last one first: the lowest tenth, which
        needs the most memory, is among the first."""
        values: dict[str, Value] = {}
        while self.tallies:
            values |= self.tallies.pop().values(whole)
        return values


def _low(interval: Interval) -> float | None:
    return None if interval.reason else interval.low


def _high(interval: Interval) -> float | None:
    return None if interval.reason else interval.high


def _these_images(values: Floats, depend: bool) -> Interval:
    """The interval for these images; none for draws that depend on each other."""
    if depend and len(values) > 1:
        return Interval.unknown(float(values.mean()), THESE_IMAGES, 0.95, DEPENDENT_DRAWS)
    return episode_interval(values).inside(FRACTION)


def _draw_interval(values: Floats, by_image: ImageAnswers | None, depend: bool) -> Interval:
    """The interval for new supports and new images, if every episode answers all of one test set of all classes, by
    independent draws; `by_image` is None if not."""
    if depend and len(values) > 1:
        return Interval.unknown(float("nan"), NEW_DRAWS, 0.95, DEPENDENT_DRAWS)
    if by_image is None:
        return Interval.unknown(float("nan"), NEW_DRAWS, 0.95, "the episodes do not answer all of a test set each")
    return draw_interval(values, *by_image.accuracy()).inside(FRACTION)


def _listed(draws: Floats) -> str:
    """The accuracies of at most 100 draws of a support as text; "" for more."""
    return " ".join(f"{value:.6g}" for value in draws) if len(draws) <= _MOST_DRAWS else ""


def spec_columns(spec: RunSpec) -> SpecColumns:
    """The spec as columns."""
    sampled = spec.episodes if isinstance(spec.episodes, Sampled) else None
    shape = EpisodeShape(None, None, None) if sampled is None else sampled.shape
    return SpecColumns(
        dataset=spec.dataset.text,
        split="" if spec.split is None else spec.split.text,
        classes=spec.classes,
        backbone=spec.backbone.text,
        transform=spec.transform.text,
        evaluator=spec.evaluator.text,
        sampler=spec.episodes.text,
        n_way=shape.n_way,
        k_shot=shape.k_shot,
        n_query=shape.n_query,
        k_shot_at_most=shape.k_shot_at_most,
        seed=0 if sampled is None else sampled.seed,
        dtype=spec.dtype,
        selection_rule="" if spec.selection is None else repr(spec.selection),
    )


def honesty(
    evaluator: Spec, images: LabelledImages, classes: Ints, backbone: Backbone, prompts: Prompts | None = None
) -> Honesty:
    """The columns that tell how honest a number on these classes (labels) is. `prompts`: the templates of the vectors
    of the class names, if a text tower made them."""
    from fewshot.evaluators import TransductiveEvaluator

    member, seen = evaluator.make(), _seen(images, classes, backbone)
    return Honesty(
        transductive=isinstance(member, TransductiveEvaluator),
        pretrained_on=backbone.pretrained_on,
        templates="" if prompts is None else prompts.name,
        seen_classes=seen.state,
        n_seen_classes=seen.count(SEEN),
        n_unknown_classes=seen.count(UNKNOWN),
        seen_classes_by=seen.by,
        selection="support" if member.n_trials() > 1 else "none",
        n_trials=member.n_trials(),
    )


def _seen(images: LabelledImages, classes: Ints, backbone: Backbone) -> SeenClasses:
    """The classes among these that were in the training data of the weights."""
    names, record = [images.class_names[label] for label in classes], backbone.training
    if record is not None:
        return seen_in_training(record, images.name, names)
    return seen_classes(backbone.pretrained_on, images.name, names)


def training(backbone: Backbone) -> Training:
    """The training of a network that fewshot trained; empty for other networks."""
    record = backbone.training
    if record is None:
        return Training()
    return Training(
        recipe=record.recipe,
        training_rule=record.rule,
        network=record.network,
        started_on=record.started_on,
        training_seed=record.seed,
        training_classes=len(record.classes),
        unique_images=record.unique_images,
        images_processed=record.images_processed,
        training_trials=record.n_trials,
        first_loss=record.first_loss,
        training_loss=record.training_loss,
        validation_loss=record.validation_loss,
        seen_error=record.seen_error,
        seen_loss=record.seen_loss,
        n_held_out=record.n_held_out,
    )


def digests(images: LabelledImages, backbone: Backbone, episodes_digest: str, split_digest: str = "") -> Digests:
    """The digests of the data and weights behind a row."""
    return Digests(
        images_digest=images.images_digest,
        classes_digest=images.classes_digest,
        split_digest=split_digest,
        episodes_digest=episodes_digest,
        weights_digest=backbone.weights_digest,
        preprocess_digest=backbone.preprocess_digest,
        data_revision=images.revision,
    )
