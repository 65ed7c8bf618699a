"""Measurements for coverage.py: every interval of a simulated data set, compared with its truth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from fewshot.benchmarks import gaussian_classes as gaussian
from fewshot.benchmarks.gaussian_classes import DIM, FEWER, Floats, Solved, Tails

from fewshot.statistics.class_intervals import class_interval, deleted_interval
from fewshot.statistics.delete_one import delete_one
from fewshot.statistics.interval import Interval
from fewshot.statistics.intervals import draw_interval, episode_interval, pool_interval
from fewshot.statistics.units import Units

CLASSES, IMAGES, SHOTS, ACCURACIES = (7, 10, 20, 60, 88), (25, 100, 600), (1, 5), (0.6, 0.8, 0.92, 0.97)
N_WAY, N_QUERY, N_EPISODES, N_POOLS, N_DRAWS = 5, 15, 600, 5, 5
N_CHECKED = 200  # episodes of (a); its truth comes from sixty times as many
TRUTH_EPISODES, TRUTH_QUERIES, TRUTH_NEW_IMAGES, TRUTH_DRAWS = 12_000, 6, 10_000, 120
FEWEST = 30  # images per class, where the number of images varies
TAILS = {"heavy": Tails(1.15, 0.5, 0.5), "heavier": Tails(1.1, 0.8, 0.3)}
MOST_IMAGES = 12_000  # (d) is measured only for data sets up to this size, because its truth is costly


@dataclass(frozen=True)
class Cell:
    """One kind of data set."""

    n_classes: int
    n_images: int
    k_shot: int
    accuracy: float
    n_episodes: int = N_EPISODES  # of (c); those of (a) and (b) are N_CHECKED and N_EPISODES
    tails: str = ""  # classes of very different spread, with FEWEST to n_images images each: one of TAILS

    @property
    def name(self) -> str:
        if self.tails:
            return f"C{self.n_classes}-{self.tails}-K{self.k_shot}"
        usual = f"C{self.n_classes}-n{self.n_images}-K{self.k_shot}-acc{round(100 * self.accuracy)}"
        return usual if self.n_episodes == N_EPISODES else f"{usual}-E{self.n_episodes}"

    @property
    def has_every_part(self) -> bool:
        """Whether (a), (b) and (d) are measured too."""
        return not self.tails and self.n_episodes == N_EPISODES

    @property
    def spread(self) -> float:
        """The spread of the class means that gives the cell's accuracy; heavy-tailed classes have one of their own."""
        if self.tails:
            return float(TAILS[self.tails].spread)
        return float(gaussian.spread_for(self.accuracy, self.k_shot, N_WAY))

    def random(self, number: int) -> np.random.Generator:
        """The generator of a data set, independent of those of other cells and data sets."""
        return np.random.default_rng([int(hashlib.sha256(self.name.encode()).hexdigest()[:16], 16), number])


HEAVY = (
    *(Cell(n_classes, 400, 5, 0.89, tails="heavy") for n_classes in (7, 8, 12, 24, 40, 88)),
    *(Cell(n_classes, 400, 1, 0.77, tails="heavier") for n_classes in (7, 8, 12, 24, 40)),
)
LONGER = (Cell(88, 25, 1, 0.6, 6000), Cell(60, 100, 5, 0.97, 6000))  # the effect of more episodes on (c)
USUAL = tuple(Cell(*sizes) for sizes in product(CLASSES, IMAGES, SHOTS, ACCURACIES))
GRID = {cell.name: cell for cell in (*USUAL, *LONGER, *HEAVY)}


@dataclass(frozen=True)
class Answer:
    """Whether an interval of one data set held the truth (None: there was no interval), and its width."""

    name: str
    held: bool | None
    width: float = 0.0

    @staticmethod
    def of(name: str, interval: Interval, truth: float) -> Answer:
        """The answer of an interval, given the truth."""
        if interval.reason:
            return Answer(name, None)
        return Answer(name, interval.low <= truth <= interval.high, interval.high - interval.low)


def of_new_classes(cell: Cell, number: int) -> Iterator[Answer]:
    """(c) of one data set, and the usual intervals. This is cheap, because the truth is known."""
    random = cell.random(number)
    if cell.tails:
        images = gaussian.heavy_tailed(cell.n_classes, cell.n_images, TAILS[cell.tails], random)
        log_counts = random.uniform(np.log(FEWEST), np.log(cell.n_images), cell.n_classes)
        counts = np.exp(log_counts).astype(np.int64)
    else:
        images, counts = _simulated(cell, random)[1], np.full(cell.n_classes, cell.n_images)
    solved = gaussian.solve(images, cell.n_episodes, N_WAY, cell.k_shot, N_QUERY, random, counts)
    yield from _new_classes(solved, *_population(cell.tails, cell.spread, cell.k_shot))


@cache
def _population(tails: str, spread: float, k_shot: int) -> tuple[float, float]:
    """The accuracies of both classifiers over all classes: known, or simulated if the classes are heavy-tailed."""
    if not tails:
        return gaussian.accuracy(spread, k_shot, N_WAY), gaussian.accuracy(spread, k_shot, N_WAY, FEWER)
    random, found = np.random.default_rng(0), []
    for _ in range(20):
        images = gaussian.heavy_tailed(6000, k_shot + N_QUERY, TAILS[tails], random)
        solved = gaussian.solve(images, TRUTH_EPISODES, N_WAY, k_shot, N_QUERY, random)
        found.append((solved.accuracy.mean(), solved.weaker.mean()))
    best, weaker = np.mean(found, axis=0)
    return float(best), float(weaker)


def of_these_classes(cell: Cell, number: int) -> Iterator[Answer]:
    """(a), (b) and (d) of one data set, each with a simulated truth."""
    random = cell.random(number)
    means, images = _simulated(cell, random)
    yield from _these_images(cell, images, random)
    n_query = min(N_QUERY, cell.n_images // N_POOLS - cell.k_shot)
    if n_query > 0:
        yield _new_images(cell, means, images, n_query, random)
    if cell.n_classes * cell.n_images <= MOST_IMAGES:
        yield _new_draws(cell, means, images, random)


PARTS = {"new classes": of_new_classes, "these classes": of_these_classes}


def _simulated(cell: Cell, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Class means [C, DIM] and images [C, n, DIM] of a simulated data set."""
    means = cell.spread * random.standard_normal((cell.n_classes, DIM))
    return means, means[:, None] + random.standard_normal((cell.n_classes, cell.n_images, DIM))


def _these_images(cell: Cell, images: Floats, random: np.random.Generator) -> Iterator[Answer]:
    """(a), for an accuracy and for a difference."""
    few = gaussian.solve(images, N_CHECKED, N_WAY, cell.k_shot, N_QUERY, random)
    many = gaussian.solve(images, TRUTH_EPISODES, N_WAY, cell.k_shot, TRUTH_QUERIES, random)
    yield Answer.of("(a)", episode_interval(few.accuracy), float(many.accuracy.mean()))
    truth = float((many.accuracy - many.weaker).mean())
    yield Answer.of("(a) difference", episode_interval(few.accuracy - few.weaker), truth)


def _new_classes(solved: Solved, truth: float, fewer: float) -> Iterator[Answer]:
    """(c), the plain jackknife, and the usual intervals."""
    half_query = 0.5 / (N_WAY * N_QUERY * len(solved.accuracy))
    values, difference, units = solved.accuracy, solved.accuracy - solved.weaker, solved.units
    yield Answer.of("(c)", class_interval(values, units, half_query=half_query), truth)
    yield Answer.of("plain", _plain(values, units), truth)
    yield Answer.of("usual", _usual(values), truth)
    yield Answer.of("(c) difference", class_interval(difference, units), truth - fewer)
    yield Answer.of("plain difference", _plain(difference, units), truth - fewer)
    yield Answer.of("usual difference", _usual(difference), truth - fewer)


def _plain(values: Floats, units: Units) -> Interval:
    """The jackknife as it is: no logit scale, no correction for skewness, episode noise counted several times."""
    return deleted_interval(float(values.mean()), delete_one(values, units), units)


def _usual(values: Floats) -> Interval:
    """The usual interval of papers: the mean +- 1.96 s / sqrt(E)."""
    mean, half = float(values.mean()), 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    return Interval(mean, mean - half, mean + half, "new classes")


def _new_images(cell: Cell, means: Floats, images: Floats, n_query: int, random: np.random.Generator) -> Answer:
    """(b): 600 episodes, each within one of the pools."""
    pools = np.split(images[:, : cell.n_images // N_POOLS * N_POOLS], N_POOLS, axis=1)
    each = N_EPISODES // N_POOLS
    accuracies = [
        gaussian.solve(np.ascontiguousarray(pool), each, N_WAY, cell.k_shot, n_query, random).accuracy for pool in pools
    ]
    interval = pool_interval(np.concatenate(accuracies), np.repeat(np.arange(N_POOLS), each))
    truth = gaussian.solve_new_images(means, TRUTH_NEW_IMAGES, N_WAY, cell.k_shot, TRUTH_QUERIES, random)
    return Answer.of("(b)", interval, truth)


def _new_draws(cell: Cell, means: Floats, images: Floats, random: np.random.Generator) -> Answer:
    """(d): supports from the images, as many test images, and all classes at once."""

    def new_images(n_images: int) -> Floats:
        """New images of these classes."""
        return means[:, None] + random.standard_normal((cell.n_classes, n_images, DIM))

    tested, labels = new_images(cell.n_images), np.repeat(np.arange(cell.n_classes), cell.n_images)
    supports = random.random((N_DRAWS, *images.shape[:2])).argsort(2)[:, :, : cell.k_shot]  # [R, C, K]
    centroids = images[np.arange(cell.n_classes)[:, None], supports].mean(2)  # [R, C, DIM]
    correct = np.stack([gaussian.solve_all_ways(one, tested) for one in centroids])
    n_query = max(5, cell.n_images // 5)
    truths = [
        gaussian.solve_all_ways(new_images(cell.k_shot).mean(1), new_images(n_query)).mean() for _ in range(TRUTH_DRAWS)
    ]
    return Answer.of("(d)", draw_interval(correct.mean(1), correct.mean(0), labels), float(np.mean(truths)))
