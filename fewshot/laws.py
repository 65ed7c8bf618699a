"""The laws that every evaluator obeys, as functions: the tests run them over the folder, `fewshot check` over a class
from outside.

A law gets an evaluator and a world (episodes of vectors, or of small pictures) and returns what is broken, or None.
"""

from __future__ import annotations

import copy
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone, freeze, weights_digest
from fewshot.datasets import ArrayImages
from fewshot.episodes import EpisodeBatch
from fewshot.evaluators import Evaluator, FeatureEvaluator, ImageEvaluator, TransductiveEvaluator
from fewshot.images import ImageRows
from fewshot.plugins import EVALUATORS


@dataclass(frozen=True)
class Trial:
    """A batch of episodes and their queries, labels in class-major order."""

    batch: EpisodeBatch[Any]
    query: Any
    query_labels: Tensor  # [B, M]


class World(ABC):
    """Makes episodes whose truth is known, and puts an evaluator to work on them."""

    @abstractmethod
    def trial(
        self, seed: int, n_episodes: int = 3, n_way: int = 3, k_shot: int = 4, n_query: int = 5, separation: float = 1.0
    ) -> Trial:
        """Episodes whose classes lie `separation` apart, in units of their spread."""

    @abstractmethod
    def head(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any]) -> Callable[[Any], Tensor]:
        """What the evaluator learned: queries to logits."""

    def logits(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any], query: Any) -> Tensor:
        """What the evaluator answers."""
        return self.head(evaluator, batch)(query)

    @abstractmethod
    def take(self, items: Any, episodes: slice, order: Tensor | None = None) -> Any:
        """The items of some episodes, in another order along the second axis."""

    def state(self) -> str:
        """A digest of everything that an evaluator must not change, beside its arguments."""
        return ""


@dataclass(frozen=True)
class VectorWorld(World):
    """Gaussian classes."""

    dtype: torch.dtype = torch.float32
    dim: int = 16

    def trial(
        self, seed: int, n_episodes: int = 3, n_way: int = 3, k_shot: int = 4, n_query: int = 5, separation: float = 1.0
    ) -> Trial:
        generator = torch.Generator().manual_seed(seed)
        centres = separation * torch.randn(n_episodes, n_way, 1, self.dim, generator=generator, dtype=torch.float64)
        size = (n_episodes, n_way, k_shot + n_query, self.dim)
        vectors = (centres + torch.randn(size, generator=generator, dtype=torch.float64)).to(self.dtype)
        support, query = vectors[:, :, :k_shot].flatten(1, 2), vectors[:, :, k_shot:].flatten(1, 2)
        return Trial(_batch(support, n_episodes, n_way, k_shot), query, _labels(n_episodes, n_way, n_query))

    def head(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any]) -> Callable[[Any], Tensor]:
        if isinstance(evaluator, TransductiveEvaluator):
            return lambda query: evaluator.logits(batch, query, torch.ones(query.shape[:2], dtype=torch.bool))
        assert isinstance(evaluator, FeatureEvaluator)
        return evaluator.fit(batch)

    def take(self, items: Tensor, episodes: slice, order: Tensor | None = None) -> Tensor:
        return items[episodes] if order is None else items[episodes][:, order]


class PictureWorld(World):
    """Noise pictures of 8 x 8 pixels whose class is a brightness pattern, and a small network with BatchNorm."""

    def __init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 12)
            )
        self.backbone = Backbone("small", freeze(network), _as_input, "", 12, 0, weights_digest(network.state_dict()))

    def trial(
        self, seed: int, n_episodes: int = 3, n_way: int = 3, k_shot: int = 4, n_query: int = 5, separation: float = 1.0
    ) -> Trial:
        generator = np.random.default_rng(seed)
        centres = separation * generator.normal(size=(n_episodes, n_way, 1, 8, 8, 3))
        values = 128 + 24 * (centres + generator.normal(size=(n_episodes, n_way, k_shot + n_query, 8, 8, 3)))
        pixels = np.clip(values, 0, 255).astype(np.uint8).reshape(-1, 8, 8, 3)
        rows = torch.arange(len(pixels)).reshape(n_episodes, n_way, -1)
        support, query = (
            ImageRows(ArrayImages(pixels), part.flatten(1)) for part in (rows[:, :, :k_shot], rows[:, :, k_shot:])
        )
        return Trial(_batch(support, n_episodes, n_way, k_shot), query, _labels(n_episodes, n_way, n_query))

    def head(self, evaluator: Evaluator[Any], batch: EpisodeBatch[Any]) -> Callable[[Any], Tensor]:
        assert isinstance(evaluator, ImageEvaluator)
        return evaluator.fit(batch, self.backbone)

    def take(self, items: ImageRows, episodes: slice, order: Tensor | None = None) -> ImageRows:
        return replace(items, rows=items.rows[episodes] if order is None else items.rows[episodes][:, order])

    def state(self) -> str:
        network = self.backbone.network
        modes = [module.training for module in network.modules()] + [p.requires_grad for p in network.parameters()]
        return weights_digest(network.state_dict()) + str(modes)


Law = Callable[[Any, World], str | None]


def shape_and_dtype(evaluator: Any, world: World) -> str | None:
    """Logits are [B, M, N], finite, and of the features' dtype."""
    trial = world.trial(1)
    logits = world.logits(evaluator, trial.batch, trial.query)
    if logits.shape != (3, 15, 3) or not torch.isfinite(logits).all():
        return f"logits should be finite, of shape (3, 15, 3); found {tuple(logits.shape)}"
    wanted = world.dtype if isinstance(world, VectorWorld) else torch.float32
    return None if logits.dtype == wanted else f"logits should be {wanted} like the features; found {logits.dtype}"


def alone_as_in_a_batch(evaluator: Any, world: World) -> str | None:
    """An episode has the same logits whether it is solved alone or with others."""
    trial = world.trial(2)
    together = world.logits(evaluator, trial.batch, trial.query)
    for e in range(3):
        part = slice(e, e + 1)
        alone = world.logits(evaluator, _episodes(trial.batch, part, world), world.take(trial.query, part))
        if not _close(alone, together[part]):
            return f"episode {e} solved alone differs from the batch by {_gap(alone, together[part])}"
    return None


def class_names_do_not_matter(evaluator: Any, world: World) -> str | None:
    """Permuting the class labels permutes the columns."""
    trial = world.trial(3)
    permutation = torch.tensor([2, 0, 1])
    renamed = replace(trial.batch, support_labels=permutation[trial.batch.support_labels])
    before, after = (world.logits(evaluator, b, trial.query) for b in (trial.batch, renamed))
    return None if _close(after[:, :, permutation], before) else "permuted labels did not permute the columns"


def support_order_does_not_matter(evaluator: Any, world: World) -> str | None:
    """The order of the support rows changes nothing."""
    trial = world.trial(4)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(4))
    batch = replace(
        trial.batch,
        support=world.take(trial.batch.support, slice(None), order),
        support_labels=trial.batch.support_labels[:, order],
    )
    before, after = (world.logits(evaluator, b, trial.query) for b in (trial.batch, batch))
    return None if _close(after, before) else f"another support order changed the logits by {_gap(after, before)}"


def queries_do_not_inform_each_other(evaluator: Any, world: World) -> str | None:
    """A query has the same logits whatever the other queries are, unless the evaluator declares itself transductive."""
    if isinstance(evaluator, TransductiveEvaluator):
        return None
    trial = world.trial(5)
    head = world.head(evaluator, trial.batch)
    whole = head(trial.query)
    for some in (torch.tensor([7, 0, 3]), torch.tensor([7])):  # from the same head, as chunks of queries are
        if not _close(head(world.take(trial.query, slice(None), some)), whole[:, some]):
            return "logits of a query depend on the other queries"
    return None


def separated_classes_are_solved(evaluator: Any, world: World) -> str | None:
    """Classes that lie far apart are told apart without an error."""
    accuracy = _accuracy(evaluator, world, world.trial(6, separation=30.0 if isinstance(world, VectorWorld) else 5.0))
    return None if accuracy == 1.0 else f"accuracy on well-separated classes should be 1, found {accuracy:.3f}"


def noise_is_chance(evaluator: Any, world: World) -> str | None:
    """On labels that mean nothing the accuracy is 1/N, within a 99.99 % interval over episodes."""
    trial = world.trial(7, n_episodes=300 if isinstance(world, VectorWorld) else 40, separation=0.0)
    logits = world.logits(evaluator, trial.batch, trial.query)
    by_episode = (logits.argmax(2) == trial.query_labels).double().mean(1)
    half = 3.89 * by_episode.std() / len(by_episode) ** 0.5
    mean = float(by_episode.mean())
    return None if abs(mean - 1 / 3) <= half else f"accuracy on noise should be 1/3 +- {half:.3f}, found {mean:.3f}"


def same_call_same_bits(evaluator: Any, world: World) -> str | None:
    """The same call gives the same bits, whatever the global generators have drawn, and draws nothing from them."""
    trial = world.trial(8)
    first = world.logits(evaluator, trial.batch, trial.query)
    torch.rand(3)
    before = _global_generators()
    second = world.logits(evaluator, trial.batch, trial.query)
    if before != _global_generators():
        return "a global random generator was drawn from; draw from batch.seeds"
    return None if torch.equal(first, second) else "two equal calls gave different bits"


def arguments_are_unchanged(evaluator: Any, world: World) -> str | None:
    """Neither the arguments nor the backbone change."""
    trial = world.trial(9)
    kept, state = copy.deepcopy(trial), world.state()
    world.logits(evaluator, trial.batch, trial.query)
    if world.state() != state:
        return "the given network was changed"
    for name in ("support_labels", "support_mask", "seeds"):
        if not torch.equal(getattr(trial.batch, name), getattr(kept.batch, name)):
            return f"batch.{name} was changed"
    same = all(
        torch.equal(_tensor(a), _tensor(b))
        for a, b in ((trial.batch.support, kept.batch.support), (trial.query, kept.query))
    )
    return None if same else "the support or the queries were changed"


def spec_round_trip(evaluator: Any, world: World) -> str | None:
    """The evaluator can be made again from its repr."""
    spec = repr(evaluator)
    name = type(evaluator).__name__
    if name not in EVALUATORS.names():
        spec = f"{type(evaluator).__module__}:{spec}"
    made = EVALUATORS.make(spec)
    return None if made == evaluator else f"{spec} is made again as {made!r}"


def padding_does_not_matter(evaluator: Any, world: World) -> str | None:
    """Support rows, and queries of a transductive evaluator, under a False mask change nothing."""
    trial = world.trial(10)
    order = torch.cat([torch.arange(12), torch.tensor([3, 7])])
    mask = torch.ones(3, 14, dtype=torch.bool)
    mask[:, 12:] = False
    padded = replace(
        trial.batch,
        support=world.take(trial.batch.support, slice(None), order),
        support_mask=mask,
        support_labels=torch.cat([trial.batch.support_labels, torch.zeros(3, 2, dtype=torch.int64)], 1),
    )
    before, after = (world.logits(evaluator, b, trial.query) for b in (trial.batch, padded))
    if not _close(after, before):
        return f"padding changed the logits by {_gap(after, before)}"
    if not isinstance(evaluator, TransductiveEvaluator):
        return None
    held = torch.cat([torch.ones(15, dtype=torch.bool), torch.zeros(4, dtype=torch.bool)]).expand(3, -1)
    queries = world.take(trial.query, slice(None), torch.cat([torch.arange(15), torch.tensor([1, 1, 1, 1])]))
    among = evaluator.logits(trial.batch, queries, held)[:, :15]
    return None if _close(among, before) else f"padded queries changed the logits by {_gap(among, before)}"


def a_path_is_each_member_alone(evaluator: Any, world: World) -> str | None:
    """fit_path gives the head of each member of the grid, in its order, as fit does."""
    if not isinstance(evaluator, FeatureEvaluator):
        return None
    trial = world.trial(11)
    grid = [evaluator, *type(evaluator).examples()]
    for member, head in zip(grid, evaluator.fit_path(trial.batch, grid), strict=True):
        alone, on_path = member.fit(trial.batch)(trial.query), head(trial.query)
        if not _close(on_path, alone):
            return f"{member!r} on a path differs from itself alone by {_gap(on_path, alone)}"
    return None


LAWS: tuple[Law, ...] = (
    shape_and_dtype,
    alone_as_in_a_batch,
    class_names_do_not_matter,
    support_order_does_not_matter,
    queries_do_not_inform_each_other,
    separated_classes_are_solved,
    noise_is_chance,
    same_call_same_bits,
    arguments_are_unchanged,
    spec_round_trip,
    padding_does_not_matter,
    a_path_is_each_member_alone,
)


def worlds(evaluator: Evaluator[Any]) -> list[World]:
    """The worlds that an evaluator is tested in."""
    if isinstance(evaluator, ImageEvaluator):
        return [PictureWorld()]
    return [VectorWorld(torch.float32), VectorWorld(torch.float64)]


def check_evaluator(evaluator: Evaluator[Any]) -> list[str]:
    """The laws that an evaluator breaks, one sentence each; empty where all hold."""
    broken = []
    for world in worlds(evaluator):
        for law in LAWS:
            try:
                problem = law(evaluator, world)
            except Exception as error:
                problem = f"raised {type(error).__name__}: {error}"
            if problem:
                broken.append(f"{law.__name__}: {problem}")
    return broken


def _batch(support: Any, n_episodes: int, n_way: int, k_shot: int) -> EpisodeBatch[Any]:
    labels = _labels(n_episodes, n_way, k_shot)
    return EpisodeBatch(
        support, labels, torch.ones_like(labels, dtype=torch.bool), n_way, torch.arange(n_episodes) + 11
    )


def _labels(n_episodes: int, n_way: int, per_class: int) -> Tensor:
    return torch.arange(n_way).repeat_interleave(per_class).repeat(n_episodes, 1)


def _episodes(batch: EpisodeBatch[Any], part: slice, world: World) -> EpisodeBatch[Any]:
    return replace(
        batch,
        support=world.take(batch.support, part),
        support_labels=batch.support_labels[part],
        support_mask=batch.support_mask[part],
        seeds=batch.seeds[part],
    )


def _accuracy(evaluator: Any, world: World, trial: Trial) -> float:
    logits = world.logits(evaluator, trial.batch, trial.query)
    return float((logits.argmax(2) == trial.query_labels).double().mean())


def _tensor(items: Any) -> Tensor:
    tensor: Tensor = items.rows if isinstance(items, ImageRows) else items
    return tensor


def _global_generators() -> str:
    """The states of torch's, numpy's and Python's own."""
    return f"{torch.get_rng_state().tolist()} {np.random.get_state(legacy=False)} {random.getstate()}"


def _close(a: Tensor, b: Tensor) -> bool:
    scale = max(1.0, float(b.abs().max()))
    return torch.allclose(a, b, rtol=1e-4, atol=(1e-4 if a.dtype == torch.float32 else 1e-8) * scale)


def _gap(a: Tensor, b: Tensor) -> str:
    return f"up to {float((a - b).abs().max()):.1e}"


def _as_input(image: Any) -> Tensor:
    return torch.from_numpy(np.array(image, dtype=np.float32)).permute(2, 0, 1) / 128 - 1
