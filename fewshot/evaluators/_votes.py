"""The vote of several heads, and the settings that vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from fewshot.evaluators import Evaluator, Head, Queries
from fewshot.plugins.grids import combinations
from fewshot.plugins.suggestions import no_field

TIES = ("probability", "first")
AnyEvaluator = TypeVar("AnyEvaluator", bound=Evaluator[Any])


def voters(inner: AnyEvaluator, grid: Any) -> list[AnyEvaluator]:
    """The evaluator in every setting of the grid, in its order. A ValueError if it has no such field."""
    settings, known = combinations(grid), [field.name for field in fields(inner)]  # type: ignore[arg-type]
    for name in settings[0]:
        if name not in known:
            raise ValueError(no_field(type(inner).__name__, name, known))
    return [replace(inner, **values) for values in settings]  # type: ignore[type-var]


class VotingHead(Head[Queries]):
    """The classes by the number of heads that answer them.

    Classes that share the highest logit of a head share its vote. Logits are log((votes + share) / (heads + 1)), so
    their softmax is (votes + share) / (heads + 1). The share of a class is its mean probability over the heads, which
    breaks ties; with `ties` "first" it is 1 / N for each class, so that classes with equal votes stay equal and the
    first one counts.
    """

    def __init__(self, heads: Sequence[Head[Queries]], ties: str) -> None:
        self._heads, self._ties = heads, ties
        known = [head.converged for head in heads if head.converged is not None]
        self.converged = torch.stack(known).all(0) if known else None

    def __call__(self, query: Queries) -> Tensor:
        answers = [head(query) for head in self._heads]
        n_way = answers[0].shape[-1]
        votes = torch.stack([_vote(each) for each in answers]).sum(0)
        share = torch.full_like(votes, 1 / n_way)
        if self._ties == "probability":
            share = torch.stack([each.double().softmax(-1) for each in answers]).mean(0)
        floor = torch.finfo(torch.float32).tiny
        return ((votes + share).clamp_min(floor) / (len(answers) + 1)).log().to(answers[0].dtype)


def _vote(logits: Tensor) -> Tensor:
    """The vote of one head, in float64; classes that share the highest logit share it."""
    highest = (logits == logits.amax(-1, keepdim=True)).double()
    return highest / highest.sum(-1, keepdim=True)
