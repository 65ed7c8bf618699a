"""The laws that every member of a folder obeys, as functions: the tests run them over the folders, `fewshot check` over
a class from outside.

A law gets a member and a world, and returns what is broken, or None:

    evaluators.py   laws of evaluators, in the worlds of worlds.py: episodes of vectors, or of small pictures
    degenerate.py   more of them: hard inputs, such as one shot, equal rows, no variance, extreme norms
    judging.py      what laws share: how a member is judged, tolerances, states of the global generators
"""

from __future__ import annotations

from typing import Any

from fewshot.evaluators import Evaluator
from fewshot.laws.evaluators import LAWS, Law
from fewshot.laws.judging import broken_laws
from fewshot.laws.worlds import PictureWorld, Trial, VectorWorld, World, worlds

__all__ = ["LAWS", "Law", "PictureWorld", "Trial", "VectorWorld", "World", "check_evaluator", "worlds"]


def check_evaluator(evaluator: Evaluator[Any]) -> list[str]:
    """The laws that an evaluator breaks, one sentence each; empty where all hold."""
    return broken_laws(evaluator, LAWS, worlds(evaluator))
