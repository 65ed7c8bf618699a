"""Laws of feature evaluators on hard inputs: few rows, equal rows, no variance, extreme norms.

An evaluator may refuse such an input with a ValueError if its docstring contains the word ValueError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from fewshot.conformance.judging import close, gap
from fewshot.conformance.worlds import Trial, VectorWorld, World
from fewshot.evaluators import FeatureEvaluator, TransductiveEvaluator
from fewshot.plugins.wording import counted

_N_QUERY = 5


@dataclass(frozen=True)
class HardInput:
    """Two hard episodes of vectors [B, N, K + 5 + 1, D]: K support rows, 5 queries and the name of each class."""

    name: str
    spoil: Callable[[Tensor, int], Tensor]  # maps the vectors and K to hard vectors of the same shape
    n_way: int = 3
    k_shot: int = 4
    dim: int = 16
    separation: float = 1.0
    alike: bool = False  # all classes are equal

    def trial(self, world: VectorWorld) -> Trial:
        """The hard episodes."""
        return world.trial_of(self.spoil(self._vectors(world, 31), self.k_shot), self.k_shot)

    def among_others(self, world: VectorWorld) -> Trial:
        """The hard episodes and two ordinary ones of the same shape."""
        hard = self.spoil(self._vectors(world, 31), self.k_shot)
        return world.trial_of(torch.cat([hard, self._vectors(world, 32)]), self.k_shot)

    def _vectors(self, world: VectorWorld, seed: int) -> Tensor:
        per_class = self.k_shot + _N_QUERY
        return replace(world, dim=self.dim).vectors(seed, 2, self.n_way, per_class, self.separation)


def _as_it_is(vectors: Tensor, k_shot: int) -> Tensor:
    return vectors


def _opposite(vectors: Tensor, k_shot: int) -> Tensor:
    return (vectors.abs() + 30) * torch.tensor([1.0, -1.0])[:, None, None]


def _equal_rows(vectors: Tensor, k_shot: int) -> Tensor:
    return torch.cat([vectors[:, :, :1].expand(-1, -1, k_shot, -1), vectors[:, :, k_shot:]], 2)


def _equal_rows_in_one_class(vectors: Tensor, k_shot: int) -> Tensor:
    return torch.cat([_equal_rows(vectors[:, :1], k_shot), vectors[:, 1:]], 1)


def _same_rows_in_every_class(vectors: Tensor, k_shot: int) -> Tensor:
    return _queries_among(vectors, vectors[:, :1].expand_as(vectors), k_shot)


def _no_support(vectors: Tensor, k_shot: int) -> Tensor:
    return _queries_among(vectors, torch.zeros_like(vectors), k_shot)


def _queries_among(vectors: Tensor, others: Tensor, k_shot: int) -> Tensor:
    """The queries of `vectors` with the support and the class names of `others`."""
    return torch.cat([others[:, :, :k_shot], vectors[:, :, k_shot:-1], others[:, :, -1:]], 2)


HARD_INPUTS = (
    HardInput("one shot", _as_it_is, k_shot=1, separation=30.0),
    HardInput("two ways", _as_it_is, n_way=2, separation=30.0),
    HardInput("two ways of one shot", _as_it_is, n_way=2, k_shot=1, separation=30.0),
    HardInput("twenty ways", _as_it_is, n_way=20, k_shot=1, separation=30.0),
    HardInput("one feature", _opposite, n_way=2, dim=1, separation=30.0),
    HardInput("equal rows in every class", _equal_rows, separation=30.0),
    HardInput("equal rows in one class", _equal_rows_in_one_class, separation=30.0),
    HardInput("more rows than features", _as_it_is, k_shot=20, dim=2),
    HardInput("the same rows in every class", _same_rows_in_every_class, alike=True),
    HardInput("zero support", _no_support, alike=True),
    HardInput("zero features", lambda vectors, k_shot: 0 * vectors, alike=True),
    HardInput("constant features", lambda vectors, k_shot: 0 * vectors + 3, alike=True),
    HardInput("huge norms", lambda vectors, k_shot: 1e6 * vectors),
    HardInput("tiny norms", lambda vectors, k_shot: 1e-6 * vectors),
    HardInput("extremely huge norms", lambda vectors, k_shot: 1e15 * vectors),
    HardInput("extremely tiny norms", lambda vectors, k_shot: 1e-15 * vectors),
)


def hard_inputs_have_answers(evaluator: Any, world: World) -> str | None:
    """Logits are finite and have the right shape and dtype for every hard input."""
    for hard, trial in _hard_trials(world):
        logits = _answer(evaluator, world, trial)
        if logits is None:
            continue
        wanted = (*trial.query.shape[:2], hard.n_way)
        if logits.shape != wanted or logits.dtype != trial.query.dtype or not torch.isfinite(logits).all():
            return (
                f"{hard.name}: logits should be finite, of shape {wanted} and {trial.query.dtype}; "
                f"found {tuple(logits.shape)}, {logits.dtype}, {int((~torch.isfinite(logits)).sum())} not finite"
            )
    return None


def hard_episodes_and_their_neighbours_are_apart(evaluator: Any, world: World) -> str | None:
    """Hard and ordinary episodes have the same logits alone as together in a batch."""
    if not isinstance(world, VectorWorld):
        return None
    for hard in HARD_INPUTS:
        trial = hard.among_others(world)
        together = _answer(evaluator, world, trial)
        for e in (0, 2) if together is not None else ():
            alone = _answer(evaluator, world, _part(trial, slice(e, e + 1)))
            which = f"{'the' if e == 0 else 'an ordinary episode beside the'} hard episode with {hard.name}"
            if alone is None or together is None:
                return f"the evaluator refuses {which} alone, but solves it in a batch"
            if not close(alone, together[e : e + 1]):
                return f"logits of {which} differ between alone and in a batch, by {gap(alone, together[e : e + 1])}"
    return None


def classes_that_are_alike_have_equal_logits(evaluator: Any, world: World) -> str | None:
    """If all classes are equal, the evaluator prefers no class. A transductive evaluator may, to divide the queries."""
    for hard, trial in _hard_trials(world):
        logits = _answer(evaluator, world, trial) if hard.alike else None
        if logits is None or isinstance(evaluator, TransductiveEvaluator):
            continue
        mean = logits.mean(2, keepdim=True).expand_as(logits)
        if not close(logits, mean):
            return f"{hard.name}: logits of equal classes should be equal, but differ by {gap(logits, mean)}"
    return None


def separated_classes_are_solved_from_little(evaluator: Any, world: World) -> str | None:
    """Accuracy on well-separated classes is 1, also with two ways, one feature or equal rows.

    One shot is exempt, because nearest neighbours may need more than one row.
    """
    for hard, trial in _hard_trials(world):
        logits = _answer(evaluator, world, trial) if hard.separation > 1 and hard.k_shot > 1 else None
        if logits is not None and not torch.equal(logits.argmax(2), trial.query_labels):
            accuracy = float((logits.argmax(2) == trial.query_labels).double().mean())
            return f"{hard.name}: accuracy on well-separated classes should be 1, found {accuracy:.3f}"
    return None


def converged_means_converged(evaluator: Any, world: World) -> str | None:
    """If a head with a field `max_iter` reports convergence, ten times as many steps change nothing."""
    if not isinstance(evaluator, FeatureEvaluator) or "max_iter" not in vars(evaluator):
        return None
    for hard, trial in _hard_trials(world):
        for steps in (1, 3, vars(evaluator)["max_iter"]) if not hard.alike and hard.separation == 1 else ():
            head, longer = (_with_steps(evaluator, n).fit(trial.batch) for n in (steps, 10 * steps))
            if head.converged is None or head.converged.shape != trial.batch.seeds.shape:
                return f"{hard.name}: a head with max_iter should report which episodes converged, as `converged` [B]"
            before, after = head(trial.query)[head.converged], longer(trial.query)[head.converged]
            if before.numel() and not close(before, after):
                many = counted(steps, "step")
                return f"{hard.name}: converged after {many}, but more change the logits by {gap(before, after)}"
    return None


def float32_hides_no_differences(evaluator: Any, world: World) -> str | None:
    """Features in float32 with a large common offset get the same answers as the same numbers in float64."""
    if not isinstance(world, VectorWorld):
        return None
    offset = HardInput("a large common offset", lambda vectors, k_shot: (vectors + 1e6).float(), separation=30.0)
    short, long = (
        _answer(evaluator, of_type, offset.trial(of_type))
        for of_type in (replace(world, dtype=dtype) for dtype in (torch.float32, torch.float64))
    )
    if short is None or long is None or torch.equal(short.argmax(2), long.argmax(2)):
        return None
    return (
        "float32 features with a large common offset get other answers than the same numbers in float64; compute "
        "logits in float64 and return them through fewshot.solvers.rounding.shortened"
    )


DEGENERATE_LAWS = (
    hard_inputs_have_answers,
    hard_episodes_and_their_neighbours_are_apart,
    classes_that_are_alike_have_equal_logits,
    separated_classes_are_solved_from_little,
    float32_hides_no_differences,
    converged_means_converged,
)


def _hard_trials(world: World) -> list[tuple[HardInput, Trial]]:
    return [(hard, hard.trial(world)) for hard in HARD_INPUTS] if isinstance(world, VectorWorld) else []


def _answer(evaluator: Any, world: World, trial: Trial) -> Tensor | None:
    """The logits; None if the evaluator refuses the input, as its docstring says."""
    try:
        return world.logits(evaluator, trial.batch, trial.query)
    except ValueError as error:
        if "ValueError" in (type(evaluator).__doc__ or ""):
            return None
        raise ValueError(f"{error} (return logits, or mention this ValueError in the class docstring)") from error


def _part(trial: Trial, part: slice) -> Trial:
    return Trial(trial.batch.take(part), trial.query[part], trial.query_labels[part])


def _with_steps(evaluator: Any, max_iter: int) -> FeatureEvaluator:
    changed: FeatureEvaluator = replace(evaluator, max_iter=max_iter)
    return changed
