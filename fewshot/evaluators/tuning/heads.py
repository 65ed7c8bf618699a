"""Linear heads of B episodes on features: their starts, and their training together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fewshot.evaluators.tuning.descent import Descent, Watch, descend, mini_batches
from fewshot.solvers.gram import principal
from fewshot.solvers.logistic import solve

Batches = Iterator[tuple[Tensor | None, Tensor]]
STARTS = ("zero", "prototypes", "probe")
_PROBE_STEPS = 100  # of Newton's method; a few are enough


@dataclass(frozen=True, eq=False)
class Support:
    """Features of the support of B episodes."""

    features: Tensor  # [B, S, D]
    labels: Tensor  # [B, S] int64 in [0, n_way)
    mask: Tensor  # [B, S] bool
    n_way: int

    def hot(self) -> Tensor:
        """[B, S, N] float64 indicator of each row's class, zero under the padding."""
        return nn.functional.one_hot(self.labels, self.n_way).double() * self.mask[:, :, None]


@dataclass(frozen=True, eq=False)
class Heads:
    """logits = features @ weight + bias."""

    weight: Tensor  # [B, D, N]
    bias: Tensor  # [B, N]
    converged: Tensor | None = None  # [B] bool, if the start is an optimum


def starting_heads(start: str, support: Support, C: float) -> Heads:
    """Heads before the first step.

    "zero"; "prototypes": the nearest class mean in Euclidean distance, weights 2 c and bias -||c||^2 (Triantafillou et
    al. 2020, arXiv 1903.03096); "probe": multinomial logistic regression at its optimum, as LinearProbe(C).
    """
    features = support.features
    if start == "probe":
        space = principal(features, support.mask)
        solution = solve(space, support.mask, support.labels, support.n_way, C, _PROBE_STEPS)
        return Heads(solution.weight.to(features.dtype), solution.bias.to(features.dtype), solution.converged)
    if start == "prototypes":
        hot = support.hot()
        centres = hot.transpose(1, 2) @ features.double() / hot.sum(1)[:, :, None]  # [B, N, D]
        return Heads((2 * centres.transpose(1, 2)).to(features.dtype), -centres.square().sum(2).to(features.dtype))
    B, _, D = features.shape
    return Heads(features.new_zeros(B, D, support.n_way), features.new_zeros(B, support.n_way))


def tune_heads(
    heads: Heads, support: Support, descent: Descent, batch_size: int | None, seeds: Tensor, watch: Watch | None = None
) -> Heads:
    """The heads of B episodes, trained together. Each is the same as if trained alone."""
    batches = _batches(support, batch_size, len(descent.rates), seeds)
    linear = descent.optimizer == "sgd" and descent.clip_norm is None and not descent.weight_decay
    tuned = _in_span if linear and support.features.shape[1] < support.features.shape[2] else _in_full
    with torch.enable_grad():
        weight, bias = tuned(heads, support, descent, batches, watch)
    return Heads(weight.detach(), bias.detach(), heads.converged)


def _in_full(
    heads: Heads, support: Support, descent: Descent, batches: Batches, watch: Watch | None
) -> tuple[Tensor, Tensor]:
    weight, bias = (nn.Parameter(part.clone()) for part in (heads.weight, heads.bias))

    def backward(_: int) -> Tensor:
        places, share = next(batches)
        features, labels = support.features, support.labels
        if places is not None:
            rows = torch.arange(len(places), device=places.device)[:, None]
            features, labels = features[rows, places], labels.gather(1, places)
        logits = torch.baddbmm(bias[:, None], features, weight)  # [B, b, N]
        losses = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        loss = (losses.view_as(share) * share).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    descend([weight, bias], descent, backward, stacked=True, watch=watch)
    return weight, bias


def _in_span(
    heads: Heads, support: Support, descent: Descent, batches: Batches, watch: Watch | None
) -> tuple[Tensor, Tensor]:
    """The same on coefficients A of the support rows: the gradient X^T R of a weight W0 + X^T A lies in their span, and
    SGD without decay is linear in it, so each step moves A by R, and logits need only the Gram matrix."""
    features = support.features.double()
    start, gram, hot = features @ heads.weight.double(), features @ features.transpose(1, 2), support.hot()
    coefficients, bias = nn.Parameter(torch.zeros_like(hot)), nn.Parameter(heads.bias.double())

    def backward(_: int) -> Tensor:
        places, share = next(batches)
        if places is not None:
            share = torch.zeros_like(hot[:, :, 0]).scatter_add(1, places, share.double())
        with torch.no_grad():
            log_p = torch.log_softmax(start + gram @ coefficients + bias[:, None], dim=2)  # [B, S, N]
            residual = share[:, :, None] * (log_p.exp() - hot)
            coefficients.grad, bias.grad = residual, residual.sum(1)
            return -(share[:, :, None] * hot * log_p).sum()

    descend([coefficients, bias], descent, backward, stacked=True, watch=watch)
    weight = heads.weight.double() + features.transpose(1, 2) @ coefficients
    return weight.to(heads.weight.dtype), bias.to(heads.bias.dtype)


def _batches(support: Support, batch_size: int | None, steps: int, seeds: Tensor) -> Batches:
    """For each step: positions [B, b] in the support (None: all, in order), and their shares [B, b] of the loss of the
    episode, 0 for padding."""
    counts = support.mask.sum(1).tolist()
    if batch_size is None or batch_size >= max(counts):
        share = support.mask / support.mask.sum(1, keepdim=True)
        yield from ((None, share) for _ in range(steps))
        return
    held = torch.argsort(
        support.mask.long(), dim=1, descending=True, stable=True
    )  # positions of the rows of an episode
    runs = [mini_batches(n, batch_size, steps, int(seed)) for n, seed in zip(counts, seeds, strict=True)]
    for drawn in zip(*runs, strict=True):
        width = max(map(len, drawn))
        places = torch.stack([nn.functional.pad(p, (0, width - len(p))) for p in drawn]).to(held.device)
        sizes = torch.tensor([len(p) for p in drawn], device=held.device)[:, None]
        yield held.gather(1, places), (torch.arange(width, device=held.device) < sizes) / sizes
