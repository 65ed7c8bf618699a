"""What makes few-shot tasks hard? Classes of one superclass, similar classes, and supports of another domain.

    make bench SUITE=effects        or        fewshot bench effects

On one thread of a busy machine with 2 cores, embedding 2384 images takes 277 s and the 28 runs take 121 s. Accuracy in
%, tf_efficientnet_lite0, intervals for these images of at most ± 1.3 points:

                                      Prototype             LinearProbe
                                      1 shot    5 shots     1 shot    5 shots
    classes of one superclass         62.9      83.0        63.9      84.2
    each of another superclass        72.3      90.1        72.6      91.0
    easy: classes far apart           74.4      90.9        75.2      91.8
    medium                            71.4      89.5        72.0      90.5
    hard: classes near each other     63.6      84.9        64.3      86.3
    any classes                       70.2      88.5        70.8      89.4
    any, supports in black on white   64.0      78.8        63.5      80.2

All runs have 600 4-way episodes with 5 queries per class, of the 45 novel icon classes that have mono and colour
drawings: four superclasses of 7 to 15 classes. Queries are always colour drawings; supports are too, except in the last
line. `SimilarityTestbed` orders the classes by effects_similarity.csv, which comes from the features of another
network:

    fewshot features --data "Icons('both')" --rows novel --backbone mobilenetv2_100 --similarity FILE

Each line has its own episodes, so differences between lines compare independent means. For these classes, tasks within
one superclass cost 7 to 9 points, and hard tasks cost 6 to 11 points compared with easy ones; four superclasses are too
few for statements about other superclasses. The last two lines share classes and queries, and
`python -m benchmarks.effects results/effects.jsonl` pairs them: supports of another domain cost 6.1 (Prototype) and 7.3
(LinearProbe) points at 1 shot, 9.7 and 9.2 points at 5 shots, within 1.5 points for these images and within 4.1 for new
classes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins import registry
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions, episode_accuracy
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.statistics.comparison import Comparison, compare
from fewshot.statistics.units import Units

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
    """The evaluator, the shots, and the comparison "mono support minus colour support" on the same classes and queries.
    It needs the predictions of the runs."""
    by_run = {(row.sampler, row.evaluator, row.k_shot): row for row in results.rows()}
    colour, mono = (
        text for text in dict.fromkeys(key[0] for key in by_run) if registry.SAMPLERS.read(text).name == "Balanced"
    )
    for evaluator, k_shot in dict.fromkeys((key[1], key[2]) for key in by_run):
        rows = [by_run[sampler, evaluator, k_shot] for sampler in (mono, colour)]
        a, b = (Predictions.concatenate(list(results.predictions(row))) for row in rows)
        if not np.array_equal(a.episodes.query, b.episodes.query):
            raise ValueError("the two runs have different queries; run the suite again")
        yield (
            evaluator,
            k_shot or 0,
            compare(episode_accuracy(a), episode_accuracy(b), _units(a.episodes, rows[0].n_classes)),
        )


def _units(episodes: Episodes, n_classes: int) -> Units:
    sampled, held = np.unique(episodes.classes, return_inverse=True)
    return Units(held.astype(np.int64), episodes.n_way.astype(np.int64), max(n_classes, len(sampled)))


def main(path: str = "results/effects.jsonl") -> None:
    """Prints the paired differences."""
    for evaluator, k_shot, comparison in cost_of_another_domain(Results(Path(path))):
        both = (comparison.these_images, comparison.new_classes)
        intervals = ", ".join(f"[{100 * i.low:.1f}, {100 * i.high:.1f}] for {i.population}" for i in both)
        mean, shots = 100 * comparison.these_images.mean, f"{k_shot} shot{'s' * (k_shot != 1)}"
        print(f"{evaluator}, {shots}: {mean:+.1f} points, {intervals}, correlation {comparison.correlation:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
