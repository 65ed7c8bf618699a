"""Omniglot: 5-way and 20-way episodes on Vinyals' characters, and 20-way 1-shot episodes inside one alphabet (Lake)."""

from __future__ import annotations

from fewshot.datasets._known_sets import edition
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Head, Place
from fewshot.protocols._class_splits import SEEN_BY_NETWORK

_NAMES = ("omniglot-py", "omniglot", "Omniglot", "omniglot/python", "python")
_PLACES = tuple(
    Place(f"{name}/images_background", "ImageFolderSet({folder}, layout='partition/superclass/class')")
    for name in _NAMES
)
_EDITION = edition("omniglot", "without partitions")
_GET = f"{_EDITION.address} (images_background.zip and images_evaluation.zip, unpacked side by side)"

BENCHMARK = Benchmark(
    name="omniglot",
    version=1,
    title="Omniglot: Vinyals' split of characters (1028/172/423), and Lake's evaluation alphabets",
    source="Vinyals et al. 2016, arXiv 1606.04080; Lake et al. 2015, Science 350",
    licence="MIT",
    sets=(
        BenchmarkSet(
            "vinyals",
            _PLACES,
            _GET,
            split="Published('omniglot_vinyals')",
            edition=_EDITION,
            shapes=tuple(EpisodeShape(n_way, k_shot, 15) for n_way in (5, 20) for k_shot in (1, 5)),
        ),
        BenchmarkSet(
            "alphabets",
            _PLACES,
            _GET,
            sampler="Hierarchical(group='superclass')",
            split="ByGroup(group='partition', novel=('images_evaluation',))",
            edition=_EDITION,
            shapes=(EpisodeShape(20, 1, 1),),
        ),
    ),
    shapes=(),
    n_episodes=600,
    heads=(Head("Identity()", "Prototype()"),),
    image_size=28,
    deviations=(
        SEEN_BY_NETWORK,
        "No rotated characters as further classes; some papers add three rotations of each.",
        "Inside one alphabet, support and query are any two drawings of a character; Lake published 20 fixed trials.",
    ),
    confirm=("Characters are matched by alphabet and number.",),
)
