"""How well do ImageNet features transfer, compared with raw pixels? Drawings, characters and clothes at 1 and 5 shots.

    make bench SUITE=domains        or        fewshot bench domains

Each network embeds 12 261 images more than in `quick`; together with quick's images this takes an estimated four
minutes on 2 cores. 1 shot / 5 shots in %, all intervals within ± 1.2:

                              mono         colour       mono to colour  glyphs       FashionMNIST
    lite0, Prototype          62.3 / 82.9  64.9 / 85.0  59.2 / 72.9     74.4 / 88.6  64.8 / 81.7
    lite0, LinearProbe        62.7 / 84.3  65.9 / 86.7  57.5 / 74.6     74.5 / 89.5  65.5 / 81.9
    mobilenetv2, Prototype    56.8 / 78.6  58.0 / 81.0  50.5 / 63.9     75.9 / 89.8  62.8 / 80.4
    mobilenetv2, LinearProbe  57.0 / 80.3  58.8 / 82.1  49.3 / 66.5     76.0 / 90.4  63.9 / 80.6
    pixels, Prototype         49.8 / 72.2  43.9 / 64.5  30.1 / 44.6     79.6 / 94.9  61.4 / 76.3
    pixels, LinearProbe       52.4 / 73.3  47.2 / 65.6  35.0 / 48.7     85.2 / 95.9  63.1 / 76.3

All runs have 600 5-way episodes. The data are the mono icons (15 queries per class), the colour icons (5), mono
supports with colour queries (5) (these are the runs of `quick`), the 179 novel glyphs of whole scripts (15), and the
test images of FashionMNIST (15). FashionMNIST comes from a Debian package (`apt-get install dataset-fashion-mnist`,
31 MB); without it its runs fail with an error that says so, and the other runs continue.

`BySeed(novel=0.8, validation=0.2)` makes eight of the ten FashionMNIST classes novel and keeps two for validation.
600 episodes use nearly every image of their pool, so the pool is the 10 000 test images. No network was trained on
these data sets. The rows have no information on whether ImageNet contains their concepts ("shirt", "sandal"), so their
seen classes are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.specs import RunSpec, Sampled

PROTOCOL = "domains@1"
BACKBONES = (
    "Packaged('tf_efficientnet_lite0', image_size=128)",
    "Packaged('mobilenetv2_100', image_size=128)",
    "RawPixels()",
)
EVALUATORS = ("Prototype()", "LinearProbe(C=1.0)")
SHOTS = (1, 5)


@dataclass(frozen=True)
class Domain:
    """A data set, and how to sample episodes of it."""

    dataset: str
    n_query: int = 15
    support_from: str | None = None
    query_from: str | None = None
    split: str | None = None  # None: the data set's default split

    def episodes(self, k_shot: int) -> Sampled:
        """5-way episodes."""
        sampler = f"Balanced({self.support_from!r}, {self.query_from!r})"
        return Sampled(EpisodeShape(n_way=5, k_shot=k_shot, n_query=self.n_query), sampler=sampler)


DOMAINS = (
    Domain("Icons('mono')"),
    Domain("Icons('colour')", n_query=5),
    Domain("Icons('both')", n_query=5, support_from="domain=mono", query_from="domain=colour"),
    Domain("Glyphs()"),
    Domain(
        "TorchvisionSet('FashionMNIST')",
        support_from="partition=test",
        query_from="partition=test",
        split="BySeed(novel=0.8, validation=0.2)",
    ),
)


def suite() -> Iterator[RunSpec]:
    """The runs, domain by domain."""
    for domain, backbone, k_shot, evaluator in product(DOMAINS, BACKBONES, SHOTS, EVALUATORS):
        episodes = domain.episodes(k_shot)
        yield RunSpec(domain.dataset, backbone, evaluator, episodes, "L2()", split=domain.split, protocol=PROTOCOL)
