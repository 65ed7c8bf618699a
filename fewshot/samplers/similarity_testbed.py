"""Episodes of similar or dissimilar classes: easy, medium and hard tasks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fewshot.data import FOLDER
from fewshot.datasets import LabelledImages
from fewshot.datasets.class_similarity import ClassSimilarity, Floats
from fewshot.episodes import draws, streams
from fewshot.episodes.episodes import Episodes
from fewshot.episodes.flat import Ints
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.fields import declare, one_of
from fewshot.plugins.signature import Later
from fewshot.samplers import Sampler
from fewshot.samplers._drawing import Draw, require_classes, require_disjoint
from fewshot.samplers.balanced import balanced

DIFFICULTIES = ("easy", "medium", "hard")
_CELLS = 1 << 21  # episodes times classes in memory at once


@dataclass(frozen=True)
class SimilarityTestbed(Sampler):
    """Balanced episodes whose classes are chosen by a file of class similarities (`fewshot features --similarity FILE`,
    or your own table): "easy" tasks have dissimilar classes, "hard" tasks similar ones.

    The first class is uniform. Each next class is uniform in a third of the remaining classes, ordered by their mean
    similarity to the chosen ones: the least similar third ("easy"), the middle one ("medium") or the most similar one
    ("hard"). A third is rounded up; ties are in the order of labels. With n_way None an episode has all classes, and
    the difficulties are equal. `support_from`, `query_from` and `apart` are those of Balanced.

    After Bennequin, Tami, Toubhans, Hudelot 2022 (arXiv 2205.05155), who choose classes one by one, near ones with a
    higher probability by their distance in WordNet, and find that accuracy falls with nearness. Sbai, Couprie, Aubry
    2020 (arXiv 2008.01988) find that similarity to the training classes matters too; this sampler ignores it.
    Deviations: thirds replace a probability with a parameter; any similarity replaces that of WordNet.
    Similarities from the features of a backbone give tasks that are hard *for that backbone*: compare backbones on a
    file that comes from none of them, or say from which one.
    """

    short_name: ClassVar[str] = "{difficulty} tasks by {similarity:stem}[, {sides}][, each {apart} on one side]"

    similarity: Path
    difficulty: str = "hard"
    support_from: str | None = None
    query_from: str | None = None
    apart: str | Later = None

    rules = declare(difficulty=one_of(DIFFICULTIES))

    @classmethod
    def examples(cls) -> list[SimilarityTestbed]:
        table = FOLDER / "laws" / "class_similarity.csv"
        mixed = cls(table, "medium", "domain=mono", "domain=colour")
        return [cls(table, "easy"), cls(table, "hard"), mixed, cls(table, apart="video")]

    def sample(
        self, images: LabelledImages, classes: Ints, shape: EpisodeShape, seed: int, start: int, count: int
    ) -> Episodes:
        index, candidates = np.arange(start, start + count, dtype=np.int64), np.unique(classes)
        require_classes(images, candidates, shape.n_way or 2, str(shape.n_way or "all"))
        require_disjoint(images, self.support_from, self.query_from)
        table = ClassSimilarity.read(Path(self.similarity)).among(images, candidates, self.similarity)
        chosen = candidates[self._places(table, shape.n_way, seed, index)]
        draw = Draw(images, images.pool(self.support_from), candidates, chosen, seed, index)
        queries = draw if self.support_from == self.query_from else draw.of(self.query_from)
        return balanced(draw, queries, shape, self.apart)

    def _places(self, table: Floats, n_way: int | None, seed: int, index: Ints) -> Ints:
        """[E, N] positions among the candidates."""
        if n_way is None:
            return np.repeat(np.arange(len(table))[None], len(index), axis=0)
        size = max(1, _CELLS // len(table))
        parts = [self._some_places(table, n_way, seed, index[at : at + size]) for at in range(0, len(index), size)]
        return np.concatenate([np.empty((0, n_way), np.int64), *parts])

    def _some_places(self, table: Floats, n_way: int, seed: int, index: Ints) -> Ints:
        words = draws.words(seed, index, 1, n_way, streams.CLASSES)[:, 0]
        episode, left = np.arange(len(index)), len(table)
        chosen = np.empty((len(index), n_way), dtype=np.int64)
        total = np.zeros((len(index), left))  # similarity to the chosen classes; inf for a chosen class
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
