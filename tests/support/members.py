"""Members of every kind, made with what they need."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.datasets.glyphs import Glyphs
from fewshot.evaluators.linear_probe import LinearProbe
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
    "tuple[str, ...]": ("x",),
    "tuple[tuple[str, tuple[Any, ...] | str], ...]": (("C", (0.1, 1.0)),),
}  # for fields without a default


def made(cls, **given):
    """A member, with what it needs where nothing is given."""
    needed = {f.name: NEEDED[f.type] for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING}
    return cls(**(needed | given))
