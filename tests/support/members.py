"""Members of every kind, made with what they need."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.datasets.glyphs import Glyphs
from fewshot.datasets.learn2learn_set import Learn2learnSet
from fewshot.evaluators.fine_tune import FineTune
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.tuned_vote import TunedVote
from fewshot.pretraining.cross_entropy import CrossEntropy
from fewshot.splits.all_novel import AllNovel

NEEDED = {
    "str": "x",
    "Dotted": "own:function",
    "Path": Path("x"),
    "NameOrPath | None": None,
    "int": 3,
    "Dataset": Glyphs(),
    "BackboneSource": RawPixels(),
    "Recipe": CrossEntropy(),
    "SplitRule": AllNovel(),
    "FeatureEvaluator": LinearProbe(),
    "ImageEvaluator": FineTune(),
    "tuple[str, ...]": ("x",),
    "tuple[tuple[str, tuple[Any, ...] | str], ...]": (("C", (0.1, 1.0)),),
}  # for fields without a default
NEEDED_OF = {
    Learn2learnSet: {"name": "CIFARFS"},
    TunedVote: {"grid": (("lr", (0.01, 0.1)),)},
}  # where the rules of a member ask for more than the type


def made(cls, **given):
    """A member, with what it needs where nothing is given."""
    needed = {f.name: NEEDED[f.type] for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING}
    return cls(**(needed | NEEDED_OF.get(cls, {}) | given))
