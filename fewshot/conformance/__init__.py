"""The laws that every member of a folder obeys, as functions: the tests run them over the folders, `fewshot check` over
a class from outside.

A law gets a member and a world, and returns what is broken, or None:

    evaluators.py   laws of evaluators, in the worlds of worlds.py: episodes of vectors, or of small pictures
    degenerate.py   more of them: hard inputs, such as one shot, equal rows, no variance, extreme norms
    samplers.py     laws of samplers, over labels and groups without pixels
    datasets.py     laws of data sets: what two loads give
    backbones.py    laws of backbones: two loads, and pictures of many sizes
    transforms.py   laws of feature transforms
    judging.py      what laws share: how a member is judged, tolerances, states of the global generators
"""

from __future__ import annotations

from typing import Any

from fewshot.conformance import backbones, datasets, evaluators, samplers, transforms
from fewshot.conformance.evaluators import LAWS, Law
from fewshot.conformance.judging import broken_laws
from fewshot.conformance.worlds import PictureWorld, Trial, VectorWorld, World, worlds
from fewshot.evaluators import Evaluator

__all__ = [
    "KINDS", "LAWS", "Law", "PictureWorld", "Trial", "VectorWorld", "World", "check", "check_evaluator", "worlds",
]  # fmt: skip

_OF_KIND: dict[str, tuple[tuple[Any, ...], Any]] = {
    "evaluator": (evaluators.LAWS, worlds),
    "sampler": (samplers.LAWS, samplers.worlds),
    "dataset": (datasets.LAWS, datasets.worlds),
    "backbone": (backbones.LAWS, backbones.worlds),
    "transform": (transforms.LAWS, transforms.worlds),
}
KINDS = tuple(_OF_KIND)


def check(kind: str, member: Any) -> list[str]:
    """The laws that a member of a kind ("evaluator", "sampler", "dataset", "backbone" or "transform") breaks, one
    sentence each; empty where all hold. A data set or backbone that cannot be loaded is the error that it raises."""
    laws, worlds_of = _OF_KIND[kind]
    return broken_laws(member, laws, worlds_of(member))


def check_evaluator(evaluator: Evaluator[Any]) -> list[str]:
    """The laws that an evaluator breaks, one sentence each; empty where all hold."""
    return check("evaluator", evaluator)
