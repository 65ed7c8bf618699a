"""The score of predictions: the accuracy with its intervals, and the measures."""

from __future__ import annotations

from collections.abc import Iterable

from fewshot.episodes.digest import episodes_digest
from fewshot.measures import Whole
from fewshot.measures._per_image import ImageAnswers
from fewshot.results.columns import Score
from fewshot.results.predictions import Predictions
from fewshot.runs.design import Design
from fewshot.runs.read_predictions import ReadPredictions
from fewshot.statistics.class_intervals import class_interval
from fewshot.statistics.interval import DEPENDENT_DRAWS, FRACTION, NEW_DRAWS, THESE_IMAGES, Floats, Interval
from fewshot.statistics.intervals import draw_interval, episode_interval, pool_interval
from fewshot.statistics.units import Units

_MOST_DRAWS = 100  # the most accuracies of draws in a row


def score(parts: Iterable[Predictions], design: Design) -> tuple[Score, str]:
    """The score of predictions, and the digest of their episodes. This reads predictions once, one part at a time, and
    keeps the classes and measures of every episode and counts of its queries."""
    read = ReadPredictions(design)
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
