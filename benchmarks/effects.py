"""What makes few-shot tasks hard: classes of one kind, classes that look alike, supports of another domain.

    make bench SUITE=effects        or        fewshot bench effects

2384 images are embedded: 277 s on one thread of a busy machine of 2 cores; the 28 runs took 121 s there. Percent,
tf_efficientnet_lite0, intervals of at most 1.3 points over episodes from these images and classes:

                                      Prototype             LinearProbe
                                      1 shot    5 shots     1 shot    5 shots
    classes of one superclass         62.9      83.0        63.9      84.2
    each of another superclass        72.3      90.1        72.6      91.0
    easy: classes far apart           74.4      90.9        75.2      91.8
    medium                            71.4      89.5        72.0      90.5
    hard: classes near each other     63.6      84.9        64.3      86.3
    any classes                       70.2      88.5        70.8      89.4
    any, supports in black on white   64.0      78.8        63.5      80.2

600 episodes, 4-way, 5 queries a class, of the 45 novel icons that are drawn both in black on white and in colour: four
superclasses of 7 to 15 classes. Queries are always drawings in colour, and so are the supports but in the last line.
`SimilarityTestbed` orders the classes by effects_similarity.csv, which the features of another network made:

    fewshot features --data "Icons('both')" --rows novel --backbone mobilenetv2_100 --similarity FILE

Lines have episodes of their own, so their differences are of two means that are independent given the images: tasks
inside one superclass cost 7 to 9 points, hard ones 6 to 11 against easy ones, for these classes; for other superclasses
nothing is settled by four. But the last two lines have the same
classes and the same queries, and `python -m benchmarks.effects results/effects.jsonl` pairs them: supports of another
domain cost 6.1 (Prototype) and 7.3 (LinearProbe) points at 1 shot, 9.7 and 9.2 at 5 shots, within 1.5 points for these
images and within 4.1 for new classes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from fewshot.episodes.episodes import Episodes, EpisodeShape
from fewshot.plugins import registry
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.statistics.comparison import Comparison, compare
from fewshot.statistics.intervals import Units

PROTOCOL = "effects@1"
TABLE = os.path.relpath(Path(__file__).with_name("effects_similarity.csv"))
COLOUR = "support_from='domain=colour', query_from='domain=colour'"
SAMPLERS = (
    f"Hierarchical('superclass', within=True, {COLOUR})",
    f"Hierarchical('superclass', within=False, {COLOUR})",
    *(f"SimilarityTestbed({TABLE!r}, {difficulty!r}, {COLOUR})" for difficulty in ("easy", "medium", "hard")),
    f"Balanced({COLOUR})",
    "Balanced(support_from='domain=mono', query_from='domain=colour')",
)
EVALUATORS = ("Prototype()", "LinearProbe(C=1.0)")
SHOTS = (1, 5)


def suite() -> Iterator[RunSpec]:
    """The runs, sampler by sampler."""
    for sampler, k_shot, evaluator in product(SAMPLERS, SHOTS, EVALUATORS):
        episodes = Sampled(EpisodeShape(n_way=4, k_shot=k_shot, n_query=5), sampler=sampler)
        backbone = "Packaged('tf_efficientnet_lite0')"
        yield RunSpec("Icons('both')", backbone, evaluator, episodes, "L2()", protocol=PROTOCOL)


def cost_of_another_domain(results: Results) -> Iterator[tuple[str, int, Comparison]]:
    """Evaluator, shots, and accuracy with supports in black on white minus that with supports in colour, on the same
    classes and queries; it needs the predictions of the runs."""
    found = {(row.sampler, row.evaluator, row.k_shot): row for row in results.rows()}
    colour, mono = (
        text for text in dict.fromkeys(key[0] for key in found) if registry.SAMPLERS.read(text).name == "Balanced"
    )
    for evaluator, k_shot in dict.fromkeys((key[1], key[2]) for key in found):
        rows = [found[sampler, evaluator, k_shot] for sampler in (mono, colour)]
        a, b = (Predictions.concatenate(list(results.parts(row.run_id).read(row.n_episodes))) for row in rows)
        if not np.array_equal(a.episodes.query, b.episodes.query):
            raise ValueError("the two runs have other queries; run the suite again")
        yield (
            evaluator,
            k_shot or 0,
            compare(episode_accuracy(a), episode_accuracy(b), _units(a.episodes, rows[0].n_classes)),
        )


def _units(episodes: Episodes, n_classes: int) -> Units:
    drawn, held = np.unique(episodes.classes, return_inverse=True)
    return Units(held.astype(np.int64), episodes.n_way.astype(np.int64), max(n_classes, len(drawn)))


def main(path: str = "results/effects.jsonl") -> None:
    """Prints the paired differences."""
    for evaluator, k_shot, found in cost_of_another_domain(Results(Path(path))):
        both = (found.these_images, found.new_classes)
        said = ", ".join(f"[{100 * i.low:.1f}, {100 * i.high:.1f}] for {i.population}" for i in both)
        mean = 100 * found.these_images.mean
        print(f"{evaluator}, {k_shot} shot: {mean:+.1f} points, {said}, correlation {found.correlation:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
