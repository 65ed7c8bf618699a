"""Every number of a row lies within its limits and within its interval, for random and for extreme predictions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from fewshot.datasets import Group
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import MEASURES
from fewshot.results.columns import RunName
from fewshot.results.declared import declared
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row
from fewshot.runs.design import Design
from fewshot.runs.scores import score
from fewshot.samplers.balanced import Balanced
from fewshot.samplers.disjoint_pools import DisjointPools
from fewshot.statistics.class_intervals import class_interval, deleted_interval
from fewshot.statistics.comparison import compare, over_sets
from fewshot.statistics.interval import FRACTION, Interval
from fewshot.statistics.intervals import draw_interval, episode_interval, pool_interval
from fewshot.statistics.units import Units
from tests.support.predictions import answered, of_logits
from tests.support.worlds import labelled, ragged

IMAGES = labelled(9, 30)
CLASSES = np.arange(9)
PAIRS = Group(CLASSES // 3, ("a", "b", "c"))


def sampled(count: int, shape: EpisodeShape, sampler: object = None) -> Episodes:
    return (sampler or Balanced()).sample(IMAGES, CLASSES, shape, 0, 0, count)


EPISODES: dict[str, Callable[[], Episodes]] = {
    "one": lambda: sampled(1, EpisodeShape(3, 1, 5)),
    "two": lambda: sampled(2, EpisodeShape(3, 1, 5)),
    "twelve": lambda: sampled(12, EpisodeShape(5, 1, 2)),
    "many": lambda: sampled(80, EpisodeShape(3, 1, 5)),
    "one query a class": lambda: sampled(40, EpisodeShape(2, 1, 1)),
    "ragged": lambda: ragged(IMAGES, 40),
    "test sets": lambda: sampled(3, EpisodeShape(None, 3, None)),
    "pools": lambda: sampled(40, EpisodeShape(3, 1, 2), DisjointPools()),
}


def wrong_once(episodes: Episodes) -> Predictions:
    """Certain of all true ways, but of a wrong one once."""
    parts = truths(episodes, 20.0)
    parts[0][0] = np.roll(parts[0][0], 1)
    return of_logits(episodes, parts)


def truths(episodes: Episodes, height: float) -> list[np.ndarray]:
    """Logits that are `height` at the true way and 0 elsewhere."""
    labels = np.split(episodes.query_labels, episodes.query_start[1:-1])
    return [height * np.eye(n)[truth] for n, truth in zip(episodes.n_way, labels, strict=True)]


def wrong_in_one_class(episodes: Episodes) -> Predictions:
    """Certain of all true ways, but never of class 0."""
    parts, labels = truths(episodes, 20.0), np.split(episodes.query_labels, episodes.query_start[1:-1])
    for part, first, truth in zip(parts, episodes.way_start[:-1], labels, strict=True):
        missed = episodes.classes[first + truth] == 0
        part[missed] = np.roll(part[missed], 1, axis=1)
    return of_logits(episodes, parts)


PREDICTIONS: dict[str, Callable[[Episodes], Predictions]] = {
    "random": lambda e: answered(e, sharpness=0.0),
    "good": lambda e: answered(e, sharpness=2.0),
    "nearly perfect": lambda e: answered(e, sharpness=6.0),
    "below guessing": lambda e: answered(e, sharpness=-2.0),
    "perfect": lambda e: of_logits(e, truths(e, 20.0)),
    "perfect and unsure": lambda e: of_logits(e, truths(e, 0.01)),
    "all wrong": lambda e: of_logits(e, truths(e, -20.0)),
    "all equal": lambda e: of_logits(e, truths(e, 0.0)),
    "wrong once": wrong_once,
    "wrong in one class": wrong_in_one_class,
}
POPULATIONS: dict[str, tuple[str, Group] | None] = {"classes": None, "groups": ("groups", PAIRS)}


def columns(episodes: str, predictions: str, groups: tuple[str, Group] | None) -> dict[str, object]:
    made = EPISODES[episodes]()
    pools_of = np.zeros_like if episodes != "pools" else lambda index: index % 8
    design = Design(IMAGES.class_names, CLASSES, pools_of, None if groups is None else (groups[0], groups[1].codes))
    return Row.of(RunName("a"), score([PREDICTIONS[predictions](made)], design)[0]).columns()


def check(name: str, value: object, low: object, high: object, limits: tuple[float | None, float | None]) -> None:
    lowest, highest = (-math.inf if limits[0] is None else limits[0]), (math.inf if limits[1] is None else limits[1])
    assert (low is None) == (high is None), name
    if value is not None:
        assert lowest <= value <= highest, (name, value)
    if low is not None:
        assert value is not None, name
        assert lowest <= low <= value <= high <= highest, (name, low, value, high)


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("predictions", PREDICTIONS)
@pytest.mark.parametrize("episodes", EPISODES)
def test_every_number_of_a_row_lies_within_its_limits_and_its_interval(
    episodes: str, predictions: str, population: str
) -> None:
    row = columns(episodes, predictions, POPULATIONS[population])
    for name in ("accuracy", "new_images", "new_classes", "new_draws"):
        check(name, row["accuracy"], row[f"{name}_low"], row[f"{name}_high"], FRACTION)
    for measure in declared():
        bounds = (row[name] for name in measure.bounds) if measure.bounds else (None, None)
        check(measure.number, row[measure.number], *bounds, MEASURES.get(measure.name).range())


@pytest.mark.parametrize("name", MEASURES.names())
def test_every_measure_declares_its_limits(name: str) -> None:
    assert MEASURES.get(name).range()[0] == 0.0


def fractions(random: np.random.Generator, count: int) -> np.ndarray:
    """Values in [0, 1], often at its ends."""
    right = random.choice([0.0, 0.02, 0.5, 0.98, 1.0])
    return random.binomial(75, right, size=count) / 75


@pytest.mark.parametrize("seed", range(60))
def test_intervals_of_fractions_hold_them_within_zero_and_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    values, other = fractions(random, 40), fractions(random, 40)
    held = np.argsort(random.random((40, 9)), axis=1)[:, :3]
    units = Units(held.reshape(-1), np.full(40, 3), 9)
    finer = np.clip(values + random.choice([0.0, 1e-7, -1e-7], size=40), 0, 1)  # such as a ranking measure
    labels = np.repeat(np.arange(4), 10)
    intervals: list[Interval] = [
        episode_interval(values).inside(FRACTION),
        pool_interval(values, np.arange(40) % 8).inside(FRACTION),
        draw_interval(values, other, labels).inside(FRACTION),
        *(class_interval(v, units, half_query=half) for v in (values, finer) for half in (0.5 / 3000, 0.01)),
        deleted_interval(float(values.mean()), np.clip(other[:9], 0, 1), units, half_query=0.5 / 3000),
    ]
    for interval in intervals:
        if not interval.reason:
            assert 0 <= interval.low <= interval.mean <= interval.high <= 1, interval


def test_a_difference_lies_within_minus_one_and_one() -> None:
    a, b = np.array([1.0, 1.0, 0.9, 1.0]), np.array([0.0, 0.1, 0.0, 0.0])
    units = Units(np.arange(8) % 5, np.full(4, 2), 5)
    found = compare(a, b, units)
    sets = over_sets(np.array([0.95, 0.5]), np.array([0.3, 0.3]))
    for interval in (found.these_images, found.new_classes, found.turned().these_images, *sets):
        assert interval.reason or -1 <= interval.low <= interval.mean <= interval.high <= 1


@pytest.mark.parametrize("limits", [(0.0, 1.0), (0.0, None), (None, None), (None, 1.0)])
def test_what_is_cut_off_holds_no_truth_and_no_mean(limits: tuple[float | None, float | None]) -> None:
    wide = Interval(0.9, -0.3, 1.4, "x")
    cut = wide.inside(limits)
    assert (cut.low, cut.high) == (-0.3 if limits[0] is None else 0.0, 1.4 if limits[1] is None else 1.0)
    within = Interval(0.5, 0.4, 0.7, "x")
    assert within.inside(limits) == within
    unknown = Interval.unknown(0.5, "x", 0.95, "why")
    assert unknown.inside(limits) is unknown


def test_a_mean_finer_than_half_a_query_has_an_interval_around_it() -> None:
    """A ranking measure may be closer to 1 than half of one query's share."""
    random = np.random.default_rng(0)
    values = 1 - 1e-5 * random.random(40)
    held = np.argsort(random.random((40, 9)), axis=1)[:, :3]
    found = class_interval(values, Units(held.reshape(-1), np.full(40, 3), 9), half_query=0.001)
    assert found.low < found.mean < found.high < 1
