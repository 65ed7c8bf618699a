"""Hyperparameters chosen inside the support, episode by episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import FeatureEvaluator, Head, an_evaluator_of_features
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.evaluators.prototype import Prototype
from fewshot.evaluators.tuning.support_views import FurtherViews
from fewshot.plugins.fields import declare, integer, one_of
from fewshot.plugins.grids import combinations
from fewshot.plugins.suggestions import no_field

CRITERIA = ("accuracy", "log_loss")
_HELD_BYTES = 24 << 20  # for the folds that are solved together
_WRAPS = 16.0  # how often a draw wraps round while its projection moves by one standard deviation
_EQUAL_ACCURACY, _EQUAL_LOSS = 1e-9, 1e-9  # differences that are rounding


@dataclass(frozen=True)
class CrossValidated(FeatureEvaluator):
    """Another evaluator of features, its hyperparameters chosen from a grid by stratified cross-validation on the
    support of the episode, then fitted on all of it.

    `grid`: fields of `inner` and their values, `(("C", (0.1, 1.0)),)`, or a name of known ones, `(("C", "dinov2"),)`.
    `folds`: the number of folds, lowered to the size of the smallest class so that every fold holds each class; None:
    leave one row out.
    `criterion`: "accuracy" of the held-out rows, all folds together (a tie of k classes with the true one counts 1/k);
    the log-loss breaks ties. Or "log_loss". The first of the grid wins if both are equal.

    The folds depend on the episode's seed and the values of the rows, not on their order. A class with a single row is
    a ValueError: nothing can be held out.
    """

    short_name: ClassVar[str] = "{inner}, {grid:names} cross-validated"

    inner: FeatureEvaluator
    grid: tuple[tuple[str, tuple[Any, ...] | str], ...]
    folds: int | None = 5
    criterion: str = "accuracy"

    rules = declare(
        inner=an_evaluator_of_features("that learns from the support alone"),
        folds=integer(2).worded("None (leave one out) or an integer of at least 2"),
        criterion=one_of(CRITERIA),
    )

    @classmethod
    def examples(cls) -> Sequence[Self]:
        return [
            cls(LinearProbe(), (("C", (0.01, 1.0, 100.0)),), folds=2),
            cls(Prototype(), (("metric", ("euclidean", "cosine")),), folds=None, criterion="log_loss"),
        ]

    def members(self) -> list[FeatureEvaluator]:
        """The evaluators of the grid, in its order."""
        return [replace(self.inner, **values) for values in self._settings()]  # type: ignore[type-var]

    def n_trials(self) -> int:
        return len(self._settings())

    def support_views(self) -> FurtherViews | None:
        kinds = {member.support_views() for member in self.members()}
        if len(kinds) > 1:
            raise ValueError(
                "CrossValidated compares settings on the same views of the support, but its grid needs "
                f"{len(kinds)} kinds of them; choose views on validation classes instead"
            )
        return kinds.pop()

    def fit(self, batch: EpisodeBatch[Tensor]) -> Head[Tensor]:
        """The heads of the chosen hyperparameters. An episode has `converged` if all of its fits have."""
        members, fold = self.members(), stratified_folds(batch, self.folds)
        score = self._score(batch, members, fold)
        choice = score.best(self.criterion)
        parts = []
        for number in torch.unique(choice).tolist():  # the winners, a member of the grid at a time
            episodes = (choice == number).nonzero()[:, 0]
            of_member = batch if len(episodes) == len(choice) else batch.take(episodes)
            parts.append((episodes, self.inner.fit_grid(of_member, [members[number]])[0]))
        return ChosenHead(tuple(members[number] for number in choice.tolist()), score, tuple(parts), choice)

    def _score(self, batch: EpisodeBatch[Tensor], members: list[FeatureEvaluator], fold: Tensor) -> Score:
        """How well each member classifies the held-out rows."""
        n_folds = int(fold.max()) + 1
        present = (fold[:, None] == torch.arange(n_folds, device=fold.device)[:, None]).any(2)  # [B, F]
        problems = present.nonzero()  # [P, 2] episode and fold
        sums = torch.zeros(len(fold), 3, len(members), dtype=torch.float64, device=fold.device)
        size = max(1, _HELD_BYTES // self._fold_bytes(fold.shape[1], batch.n_way, batch.support.shape[2]))
        for part in torch.split(problems, size):
            sums.index_add_(0, part[:, 0], self._score_folds(batch, members, fold, part))
        n_rows = batch.support_mask.sum(1, keepdim=True)
        return Score(sums[:, 0] / n_rows, sums[:, 1] / n_rows, (sums[:, 2] == 0).all(1))

    def _score_folds(
        self, batch: EpisodeBatch[Tensor], members: list[FeatureEvaluator], fold: Tensor, problems: Tensor
    ) -> Tensor:
        """[P, 3, members] right answers, losses, and fits that did not converge, summed over the held-out rows."""
        folded, held = batch.take(problems[:, 0]), fold[problems[:, 0]] == problems[:, 1:]
        kept = folded.without(held)
        order = held.int().argsort(dim=1, descending=True, stable=True)[:, : int(held.sum(1).max())]
        query = folded.support.take_along_dim(order[:, :, None], dim=1)
        truth, scored = folded.support_labels.gather(1, order), held.gather(1, order)
        columns = []
        for head in self.inner.fit_grid(kept, members):
            stopped = torch.zeros(len(held)) if head.converged is None else (~head.converged).double()
            columns.append(torch.stack([*_right_and_loss(head(query), truth, scored), stopped.to(held.device)], dim=1))
        return torch.stack(columns, dim=2)

    def working_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        """The bytes of all folds of an episode, up to a limit."""
        one = self._fold_bytes(n_support, n_way, dim)
        return max(one, min(one * (n_support if self.folds is None else self.folds), _HELD_BYTES))

    def _fold_bytes(self, n_support: int, n_way: int, dim: int) -> int:
        """The bytes of one fold: its support, the inner evaluator, and a head for each member."""
        heads = 8 * dim * n_way * (self.n_trials() + 1)
        return 16 * n_support * dim + self.inner.working_bytes(n_support, n_way, dim) + heads

    def _settings(self) -> list[dict[str, Any]]:
        """The combinations of the grid. A ValueError if `inner` has no such field."""
        settings, known = combinations(self.grid), [field.name for field in fields(self.inner)]  # type: ignore[arg-type]
        for name in settings[0]:
            if name not in known:
                raise ValueError(no_field(type(self.inner).__name__, name, known))
        return settings


@dataclass(frozen=True, eq=False)
class Score:
    """The results of G members of a grid on the held-out rows of B supports."""

    accuracy: Tensor  # [B, G] float64 in [0, 1]
    log_loss: Tensor  # [B, G] float64, mean over the rows, in nats
    converged: Tensor  # [B] bool: every fit did

    def best(self, criterion: str) -> Tensor:
        """[B] the best member; the first of equal ones."""
        candidates = torch.ones_like(self.accuracy, dtype=torch.bool)
        if criterion == "accuracy":
            candidates = self.accuracy >= self.accuracy.amax(1, keepdim=True) - _EQUAL_ACCURACY
        loss = self.log_loss.masked_fill(~candidates, torch.inf)
        lowest = loss.amin(1, keepdim=True)
        equal = candidates & (loss <= lowest + _EQUAL_LOSS * (1 + lowest.abs()))
        return equal.int().argmax(1)


@dataclass(frozen=True, eq=False)
class ChosenHead(Head[Tensor]):
    """Heads of episodes with different hyperparameters."""

    chosen: tuple[FeatureEvaluator, ...]  # [B] the choice of each episode
    score: Score  # the results behind the choices
    parts: tuple[tuple[Tensor, Head[Tensor]], ...]  # indices of episodes [b], and their heads
    setting: Tensor | None = None  # [B] the places of the choices in the grid

    def __post_init__(self) -> None:
        fitted = self.score.converged.clone()
        for episodes, head in self.parts:
            if head.converged is not None:
                fitted[episodes] &= head.converged
        object.__setattr__(self, "converged", fitted)

    def __call__(self, query: Tensor) -> Tensor:
        answers = [head(query[episodes]) for episodes, head in self.parts]
        logits = answers[0].new_empty(len(query), *answers[0].shape[1:])
        for (episodes, _), answer in zip(self.parts, answers, strict=True):
            logits[episodes] = answer
        return logits


def stratified_folds(batch: EpisodeBatch[Tensor], folds: int | None) -> Tensor:
    """[B, S] int64 the fold of each support row, from 0 on; -1 for padding.

    The number of folds is `folds`, at most the size of the smallest class; None: one fold for each row. The rows of a
    class are spread evenly over the folds. A class with a single row is a ValueError.
    """
    held = torch.nn.functional.one_hot(batch.support_labels, batch.n_way).bool() & batch.support_mask[:, :, None]
    smallest = held.sum(1).amin(1)  # [B]
    if int(smallest.min()) < 2:
        raise ValueError(
            f"CrossValidated holds out support images, so every class needs at least 2; found a class with "
            f"{int(smallest.min())}. With 1 shot choose hyperparameters on validation classes instead"
        )
    if folds is None:
        return (batch.support_mask.cumsum(1) - 1).where(batch.support_mask, -1)
    classes = batch.support_labels.where(batch.support_mask, batch.n_way)  # padding comes last
    order = _draws(batch).argsort(dim=1, stable=True)
    order = order.gather(1, classes.gather(1, order).argsort(dim=1, stable=True))  # class by class, by draw
    first = held.sum(1).cumsum(1) - held.sum(1)  # [B, N] where each class begins
    place = order.argsort(dim=1)
    rank = place - first.gather(1, batch.support_labels)
    return (rank % smallest.clamp(max=folds)[:, None]).where(batch.support_mask, -1)


def _draws(batch: EpisodeBatch[Tensor]) -> Tensor:
    """[B, S] float64 in [0, 1): a draw for each row from the episode's seed and the values of the row, independent of
    its place. A random projection, wrapped round many times, so that last bits of the features hardly change it."""
    dim, mask = batch.support.shape[2], batch.support_mask
    directions = [
        torch.randn(dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        for seed in batch.seeds.tolist()
    ]
    projected = (batch.support.double() @ torch.stack(directions).to(mask.device)[:, :, None])[:, :, 0]
    n_rows = mask.sum(1, keepdim=True)
    centred = projected - (projected * mask).sum(1, keepdim=True) / n_rows
    spread = ((centred * mask).square().sum(1, keepdim=True) / n_rows).sqrt()
    return (_WRAPS * centred / spread.where(spread > 0, 1)).remainder(1)


def _right_and_loss(logits: Tensor, truth: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
    """[P] each, sums over the queries [P, m] where `scored`: right answers (a tie of k classes counts 1/k), and -log p
    of the true class."""
    top = logits == logits.amax(2, keepdim=True)
    right = top.gather(2, truth[:, :, None])[:, :, 0].double() / top.sum(2)
    loss = -torch.log_softmax(logits.double(), 2).gather(2, truth[:, :, None])[:, :, 0]
    return (right * scored).sum(1), loss.where(scored, 0).sum(1)
