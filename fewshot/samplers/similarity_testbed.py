"""Episodes of classes that are far from each other, or near: easy, medium and hard tasks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

import fewshot.data
from fewshot.datasets import LabelledImages
from fewshot.datasets.class_similarity import ClassSimilarity, Floats
from fewshot.episodes import draws
from fewshot.episodes.episodes import Episodes, EpisodeShape, Ints
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import CLASSES, Draw, require_classes, require_disjoint
from fewshot.samplers.balanced import balanced

DIFFICULTIES = ("easy", "medium", "hard")
_CELLS = 1 << 21  # episodes times classes at once


@dataclass(frozen=True)
class SimilarityTestbed(Sampler):
    """Balanced episodes whose classes are chosen by how alike they are, after a file of class similarities
    (`fewshot features --similarity FILE`, or a table of your own): "easy" far apart, "hard" near.

    The first class uniformly; then, one after the other, a class uniformly from a third of those that are left, ordered
    by their mean similarity to the classes chosen so far: the third least alike ("easy"), the middle one ("medium") or
    the third most alike ("hard"); a third is rounded up, and equal ones are in the order of their labels. With n_way
    None all classes are chosen, and the difficulties are the same. `support_from`, `query_from` are those of Balanced.

    After Bennequin, Tami, Toubhans, Hudelot 2022 (arXiv 2205.05155), who draw classes one after the other, near ones
    with a higher probability, by their distance in WordNet, and find accuracy to fall with nearness; that similarity to
    the classes of training matters too is Sbai, Couprie, Aubry 2020 (arXiv 2008.01988), which this does not look at.
    Deviations: thirds in place of a probability with a parameter; any similarity in place of that of WordNet.
    A file made from features of a backbone makes tasks that are hard *for it*: compare backbones on a file that none of
    them made, or say which did.
    """

    short_name: ClassVar[str] = "{difficulty} tasks by {similarity:stem}[, {sides}]"
    nested_shots: ClassVar[bool] = True

    similarity: Path
    difficulty: str = "hard"
    support_from: str | None = None
    query_from: str | None = None

    @classmethod
    def examples(cls) -> list[SimilarityTestbed]:
        table = Path(fewshot.data.__file__).parent / "laws" / "class_similarity.csv"
        mixed = cls(table, "medium", "domain=mono", "domain=colour")
        return [cls(table, "easy"), cls(table, "hard"), mixed]

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        if self.difficulty not in DIFFICULTIES:
            raise ValueError(
                f"The 'difficulty' parameter of SimilarityTestbed must be one of {', '.join(DIFFICULTIES)}. "
                f"Got {self.difficulty!r} instead."
            )
        index, candidates = np.arange(start, start + count, dtype=np.int64), np.unique(classes)
        require_classes(images, candidates, shape.n_way or 2, str(shape.n_way or "all"))
        require_disjoint(images, self.support_from, self.query_from)
        table = ClassSimilarity.read(Path(self.similarity)).among(images, candidates, self.similarity)
        chosen = candidates[self._places(table, shape.n_way, seed, index)]
        draw = Draw(images, images.pool(self.support_from), candidates, chosen, seed, index)
        return balanced(draw, draw if self.support_from == self.query_from else draw.of(self.query_from), shape)

    def _places(self, table: Floats, n_way: int | None, seed: int, index: Ints) -> Ints:
        """[E, N] places among the candidates."""
        if n_way is None:
            return np.repeat(np.arange(len(table))[None], len(index), axis=0)
        size = max(1, _CELLS // len(table))
        parts = [self._some_places(table, n_way, seed, index[at : at + size]) for at in range(0, len(index), size)]
        return np.concatenate([np.empty((0, n_way), np.int64), *parts])

    def _some_places(self, table: Floats, n_way: int, seed: int, index: Ints) -> Ints:
        words = draws.words(seed, index, 1, n_way, CLASSES)[:, 0]
        episode, left = np.arange(len(index)), len(table)
        chosen = np.empty((len(index), n_way), dtype=np.int64)
        total = np.zeros((len(index), left))  # of the similarities to the classes chosen; inf where one is chosen
        low, third = 0, left
        for way in range(n_way):
            if way:
                third = -(-left // 3)
                low = {"easy": 0, "medium": (left - third) // 2, "hard": left - third}[self.difficulty]
            place = low + ((words[:, way] * np.uint64(third)) >> np.uint64(32)).astype(np.int64)
            order = np.argsort(total, axis=1, kind="stable")
            chosen[:, way] = order[episode, place]
            total += table[chosen[:, way]]
            total[episode, chosen[:, way]] = np.inf
            left -= 1
        return chosen
