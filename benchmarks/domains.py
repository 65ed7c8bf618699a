"""How far ImageNet features carry, against raw pixels: drawings, characters and clothes, 1 and 5 shot.

    make bench SUITE=domains        or        fewshot bench domains

600 episodes, 5-way, of: the icons in black on white (15 queries), in colour (5), with supports in black on white and
queries in colour (5), as in `quick`, whose runs these are; the 179 novel glyphs, whole scripts (15); FashionMNIST's
test images (15). FashionMNIST comes from a package of Debian (`apt-get install dataset-fashion-mnist`, 31 MB);
without it its runs fail with a sentence that says so, and the others go on.

Of FashionMNIST's ten classes `BySeed(novel=0.8, validation=0.2)` leaves eight as novel and two to choose by.
Episodes of 600 touch nearly every image of their pool, so the pool is its 10 000 test images: beyond what `quick`
embeds, 12 261 images go through each network. No network was trained on any of these sets; whether ImageNet holds
their concepts ("shirt", "sandal") is not known to the rows: seen classes unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from fewshot.episodes import EpisodeShape
from fewshot.specs import RunSpec, Sampled

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
    """Images, and how episodes are made of them."""

    dataset: str
    n_query: int = 15
    support_from: str | None = None
    query_from: str | None = None
    split: str | None = None  # None: the data set's own

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
