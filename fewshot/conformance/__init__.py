"""Conformance: the laws that every member of a kind obeys. The tests run them on all members, `fewshot check` on any.

May import: the folders of the members, and everything below them.
A new law: a function of a member and a world that returns a sentence if the law is broken and None if it holds; add it
to the LAWS of its file, and a member that breaks it to the tests.

    evaluators.py   laws of evaluators                  worlds.py       their episodes, of vectors or small pictures
    degenerate.py   more laws of evaluators, on hard inputs: one shot, equal rows, no variance, extreme norms
    names.py        laws of evaluators that use vectors of the class names
    samplers.py     laws of samplers                    datasets.py     laws of data sets, loaded twice
    backbones.py    laws of backbones, loaded twice     transforms.py   laws of feature transforms
    judging.py      what all laws share: running them, tolerances, states of the global generators
"""

from __future__ import annotations

from typing import Any

from fewshot.conformance import backbones, datasets, evaluators, samplers, transforms
from fewshot.conformance.evaluators import LAWS, Law
from fewshot.conformance.judging import broken_laws
from fewshot.conformance.worlds import PictureWorld, Trial, VectorWorld, World, worlds

__all__ = [
    "KINDS", "LAWS", "Law", "PictureWorld", "Trial", "VectorWorld", "World", "check", "worlds",
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
    """The laws that a member breaks, one sentence each; empty if all laws hold.

    `kind` is "evaluator", "sampler", "dataset", "backbone" or "transform". A data set or backbone that does not load
    raises its own error.
    """
    laws, worlds_of = _OF_KIND[kind]
    return broken_laws(member, laws, worlds_of(member))
