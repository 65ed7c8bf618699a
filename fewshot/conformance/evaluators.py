"""The laws of evaluators."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fewshot.conformance.degenerate import DEGENERATE_LAWS
from fewshot.conformance.judging import close, gap, generator_states, repr_problem
from fewshot.conformance.names import NAME_LAWS
from fewshot.conformance.worlds import Trial, VectorWorld, World
from fewshot.evaluators import FeatureEvaluator, TransductiveEvaluator
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.plugins.registry import EVALUATORS

Law = Callable[[Any, World], str | None]


def shape_and_dtype(evaluator: Any, world: World) -> str | None:
    """Logits are finite, of shape [B, M, N] and of the features' dtype."""
    trial = world.trial(1)
    logits = world.logits(evaluator, trial.batch, trial.query)
    if logits.shape != (3, 15, 3) or not torch.isfinite(logits).all():
        return f"logits should be finite, of shape (3, 15, 3); found {tuple(logits.shape)}"
    wanted = world.dtype if isinstance(world, VectorWorld) else torch.float32
    return None if logits.dtype == wanted else f"logits should be {wanted} like the features; found {logits.dtype}"


def no_support_is_no_error(evaluator: Any, world: World) -> str | None:
    """A head that declares to need no support answers 0-shot episodes: finite logits of the right shape."""
    if evaluator.needs_support:
        return None
    trial = world.trial(1, k_shot=0)
    logits = world.logits(evaluator, trial.batch, trial.query)
    if logits.shape == (3, 15, 3) and torch.isfinite(logits).all():
        return None
    return f"0-shot logits should be finite, of shape (3, 15, 3); found {tuple(logits.shape)}"


def alone_as_in_a_batch(evaluator: Any, world: World) -> str | None:
    """An episode has the same logits alone as in a batch."""
    trial = world.trial(2)
    together = world.logits(evaluator, trial.batch, trial.query)
    for e in range(3):
        part = slice(e, e + 1)
        alone = world.logits(evaluator, trial.batch.take(part), trial.query[part])
        if not close(alone, together[part]):
            return f"logits of episode {e} differ between alone and in a batch, by {gap(alone, together[part])}"
    return None


def class_names_do_not_matter(evaluator: Any, world: World) -> str | None:
    """Permuting the class labels permutes the columns of the logits."""
    trial = world.trial(3)
    permutation = torch.tensor([2, 0, 1])
    before, after = (world.logits(evaluator, b, trial.query) for b in (trial.batch, trial.batch.renamed(permutation)))
    return None if close(after[:, :, permutation], before) else "permuting the labels does not permute the columns"


def support_order_does_not_matter(evaluator: Any, world: World) -> str | None:
    """The order of the support rows changes nothing."""
    trial = world.trial(4)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(4))
    batch = trial.batch.take_support(order)
    before, after = (world.logits(evaluator, b, trial.query) for b in (trial.batch, batch))
    return None if close(after, before) else f"another support order changes the logits by {gap(after, before)}"


def queries_do_not_inform_each_other(evaluator: Any, world: World) -> str | None:
    """Each query is scored independently of the other queries, unless the evaluator is transductive."""
    if isinstance(evaluator, TransductiveEvaluator):
        return None
    trial = world.trial(5)
    head = world.head(evaluator, trial.batch)
    whole = head(trial.query)
    for some in (torch.tensor([7, 0, 3]), torch.tensor([7])):  # from the same head, like chunks of queries in runs
        if not close(head(trial.query[:, some]), whole[:, some]):
            return "logits of a query depend on the other queries; derive from TransductiveEvaluator if they should"
    return None


def query_order_does_not_matter(evaluator: Any, world: World) -> str | None:
    """Permuting the queries of a transductive evaluator permutes its answers. Queries lie class by class in an
    episode, so an evaluator that used their order would know their labels."""
    if not isinstance(evaluator, TransductiveEvaluator):
        return None  # `queries_do_not_inform_each_other` implies it
    trial = world.trial(12)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(12))
    before = world.logits(evaluator, trial.batch, trial.query)
    after = world.logits(evaluator, trial.batch, trial.query[:, order])
    return None if close(after, before[:, order]) else "another order of the queries changes their logits"


def separated_classes_are_solved(evaluator: Any, world: World) -> str | None:
    """Accuracy on well-separated classes is 1."""
    accuracy = _accuracy(evaluator, world, world.trial(6, separation=30.0 if isinstance(world, VectorWorld) else 5.0))
    return None if accuracy == 1.0 else f"accuracy on well-separated classes should be 1, found {accuracy:.3f}"


def noise_is_chance(evaluator: Any, world: World) -> str | None:
    """Accuracy on labels without meaning is 1/N, within a 99.99 % interval over episodes."""
    trial = world.trial(7, n_episodes=300 if isinstance(world, VectorWorld) else 40, separation=0.0)
    logits = world.logits(evaluator, trial.batch, trial.query)
    by_episode = (logits.argmax(2) == trial.query_labels).double().mean(1)
    half = 3.89 * by_episode.std() / len(by_episode) ** 0.5
    mean = float(by_episode.mean())
    return None if abs(mean - 1 / 3) <= half else f"accuracy on noise should be 1/3 +- {half:.3f}, found {mean:.3f}"


def same_call_same_bits(evaluator: Any, world: World) -> str | None:
    """The same call gives the same bits for any state of the global generators, and does not use them."""
    trial = world.trial(8)
    first = world.logits(evaluator, trial.batch, trial.query)
    torch.rand(3)
    before = generator_states()
    second = world.logits(evaluator, trial.batch, trial.query)
    if before != generator_states():
        return "the evaluator uses a global random generator; seed a generator of its own with batch.seeds"
    return None if torch.equal(first, second) else "two equal calls give different bits"


def arguments_are_unchanged(evaluator: Any, world: World) -> str | None:
    """The evaluator changes neither its arguments nor the backbone."""
    trial = world.trial(9)
    kept, state = copy.deepcopy(trial), world.state()
    world.logits(evaluator, trial.batch, trial.query)
    if world.state() != state:
        return "the evaluator changes the given network; work on a copy"
    for name in ("support_labels", "support_mask", "seeds", "class_features", "support_views"):
        now, was = getattr(trial.batch, name), getattr(kept.batch, name)
        if was is not None and not torch.equal(now, was):
            return f"the evaluator changes batch.{name}; work on a copy"
    same = all(
        torch.equal(_tensor(a), _tensor(b))
        for a, b in ((trial.batch.support, kept.batch.support), (trial.query, kept.query))
    )
    return None if same else "the evaluator changes the support or the queries; work on a copy"


def spec_round_trip(evaluator: Any, world: World) -> str | None:
    """The repr of the evaluator creates an equal evaluator."""
    return repr_problem(EVALUATORS, evaluator)


def padding_does_not_matter(evaluator: Any, world: World) -> str | None:
    """Masked support rows, and masked queries of a transductive evaluator, change nothing."""
    trial = world.trial(10)
    order = torch.cat([torch.arange(12), torch.tensor([3, 7])])
    padded = trial.batch.take_support(order).without((torch.arange(14) >= 12).expand(3, -1))
    before, after = (world.logits(evaluator, b, trial.query) for b in (trial.batch, padded))
    if not close(after, before):
        return f"padding of the support changes the logits by {gap(after, before)}"
    if not isinstance(evaluator, TransductiveEvaluator):
        return None
    held = torch.cat([torch.ones(15, dtype=torch.bool), torch.zeros(4, dtype=torch.bool)]).expand(3, -1)
    queries = trial.query[:, torch.cat([torch.arange(15), torch.tensor([1, 1, 1, 1])])]
    among = evaluator.logits(trial.batch, queries, held)[:, :15]
    return None if close(among, before) else f"padding of the queries changes the logits by {gap(among, before)}"


def a_path_is_each_member_alone(evaluator: Any, world: World) -> str | None:
    """`fit_path` gives the same heads as `fit` of each member of the grid, in order."""
    if not isinstance(evaluator, FeatureEvaluator):
        return None
    trial = world.trial(11)
    grid = [evaluator, *type(evaluator).examples()]
    for member, head in zip(grid, evaluator.fit_path(trial.batch, grid), strict=True):
        alone, on_path = member.fit(trial.batch)(trial.query), head(trial.query)
        if not close(on_path, alone):
            return f"logits of {member!r} differ between fit_path and fit, by {gap(on_path, alone)}"
    return None


LAWS: tuple[Law, ...] = (
    shape_and_dtype,
    no_support_is_no_error,
    alone_as_in_a_batch,
    class_names_do_not_matter,
    support_order_does_not_matter,
    queries_do_not_inform_each_other,
    query_order_does_not_matter,
    separated_classes_are_solved,
    noise_is_chance,
    same_call_same_bits,
    arguments_are_unchanged,
    spec_round_trip,
    padding_does_not_matter,
    a_path_is_each_member_alone,
    *NAME_LAWS,
    *DEGENERATE_LAWS,
)


def _accuracy(evaluator: Any, world: World, trial: Trial) -> float:
    logits = world.logits(evaluator, trial.batch, trial.query)
    return float((logits.argmax(2) == trial.query_labels).double().mean())


def _tensor(items: Any) -> Tensor:
    tensor: Tensor = items.rows if isinstance(items, ImageRows) else items
    return tensor
