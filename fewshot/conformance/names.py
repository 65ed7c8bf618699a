"""Laws of evaluators that use vectors of the class names; all others obey them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from fewshot.conformance.judging import close, gap
from fewshot.conformance.worlds import Trial, VectorWorld, World


def equal_names_prefer_no_class(evaluator: Any, world: World) -> str | None:
    """Two classes whose names have the same vector swap their logits if they swap their ways. At 0 shots their logits
    are the same to the last bit: the way that comes first wins, and episodes sample ways in random order."""
    if not isinstance(world, VectorWorld):
        return None
    trial = _with_equal_names(world.trial(14))
    before = world.logits(evaluator, trial.batch, trial.query)
    after = world.logits(evaluator, trial.batch.renamed(torch.tensor([1, 0, 2])), trial.query)
    if not close(after[:, :, [1, 0, 2]], before):
        return "two classes of the same name vector have other logits if they swap their ways"
    if evaluator.needs_support:
        return None
    bare = _with_equal_names(world.trial(14, k_shot=0))
    one, other = world.logits(evaluator, bare.batch, bare.query)[:, :, :2].unbind(2)
    return None if torch.equal(one, other) else f"logits of the same name vector differ by {gap(one, other)} at 0 shots"


NAME_LAWS: tuple[Callable[[Any, World], str | None], ...] = (equal_names_prefer_no_class,)


def _with_equal_names(trial: Trial) -> Trial:
    """The trial in which way 1 has the name vector of way 0."""
    given = trial.batch.class_features
    assert given is not None
    names = torch.cat([given[:, :1], given[:, :1], given[:, 2:]], 1)
    return replace(trial, batch=replace(trial.batch, class_features=names))
