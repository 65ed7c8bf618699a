"""A network and its linear head, tuned together on one episode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.descent import descend, mini_batches
from fewshot.evaluators.tuning.heads import Heads, Support, starting_heads
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.inputs import MOST_AT_ONCE, Inputs, held_in_order, in_parts, plain_features
from fewshot.evaluators.tuning.layout import check_layout
from fewshot.evaluators.tuning.low_rank import drop_out
from fewshot.evaluators.tuning.network import new_head, normalise_by_batch
from fewshot.evaluators.tuning.split import Split, Tail, Trunk, find_split
from fewshot.evaluators.tuning.views import draw, mixing

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

_KEPT_BYTES = 256 << 20  # for the activations at the cut


class TunedEpisode:
    """One episode during the tuning of its network."""

    def __init__(
        self,
        batch: EpisodeBatch[ImageRows],
        episode: int,
        backbone: Backbone,
        tuning: Tuning,
        most: int = MOST_AT_ONCE,
    ) -> None:
        order = held_in_order(batch.support, batch.support_mask, episode)
        self._tuning, self._seed, self._watch = tuning, int(batch.seeds[episode]), batch.watch
        self._labels = batch.support_labels[episode, order].to(backbone.device)
        self._inputs = Inputs(batch.support, episode, order, backbone, tuning.view, most, tuning.layout)
        if tuning.layout is not None:
            check_layout(backbone.network, self._inputs.shape, tuning.layout)
        self._network, self._trained = tuning.changed(backbone.network, self._seed)
        dtype = next(backbone.network.parameters(), torch.empty(0)).dtype
        self._head = new_head(backbone.dim, batch.n_way, backbone.device, dtype)
        self._converged: Tensor | None = None
        if tuning.start != "zero":
            with torch.no_grad():
                features = plain_features(batch.support, episode, order, backbone, self._network, tuning.layout)
                self._start(tuning.seen_by_head(features), batch.n_way)
        self._tail, self._activations = self._cut(batch.support, episode, order)
        if tuning.batchnorm == "support":
            normalise_by_batch(self._network, self._trained)
        drop_out(self._network)

    def tuned(self) -> tuple[nn.Module, Heads]:
        """The network in eval mode, without gradients, and its head."""
        tuning, n = self._tuning, len(self._labels)
        batches = mini_batches(n, tuning.batch_size, len(tuning.descent.rates), self._seed, tuning.replacement)
        head = list(self._head.parameters())

        def backward(step: int) -> Tensor:
            return self._backward(step, next(batches))

        with torch.enable_grad():
            descend(self._trained, tuning.descent, backward, watch=self._watch, head=head)
        weight, bias = self._head.weight.detach(), self._head.bias.detach()
        return self._network.eval().requires_grad_(False), Heads(weight.T[None], bias[None], self._converged)

    def _backward(self, step: int, positions: Tensor) -> Tensor:
        """The mean loss of a mini-batch; adds its gradients part by part, in the memory of one part. Unless BatchNorm
        makes rows depend on each other, the result is the same to rounding."""
        b = len(positions)
        uniform, total = draw(self._seed, step, b), torch.zeros(())
        for places in torch.split(torch.arange(b), self._inputs.at_once if self._tuning.batchnorm == "frozen" else b):
            loss = self._loss(positions, places, uniform) * (len(places) / b)
            loss.backward()  # type: ignore[no-untyped-call]
            total = total + loss.detach().cpu()
        return total

    def _loss(self, positions: Tensor, places: Tensor, uniform: NDArray[np.float64]) -> Tensor:
        """The mean loss of some places of a mini-batch."""
        rows = positions[places]
        if not self._tuning.mixup:
            features = self._features(rows, uniform[places.numpy()])
            return cross_entropy(self._head(self._tuning.seen_by_head(features)), self._labels[rows])
        share, partner = mixing(uniform, self._tuning.mixup)
        others = torch.from_numpy(partner)[places]
        mixed = share * self._seen(rows, uniform[places.numpy()])
        mixed += (1 - share) * self._seen(positions[others], uniform[others.numpy()])
        logits = self._head(self._tuning.seen_by_head(self._network(mixed)))
        mine, theirs = (cross_entropy(logits, self._labels[some]) for some in (rows, positions[others]))
        return share * mine + (1 - share) * theirs

    def _features(self, rows: Tensor, uniform: NDArray[np.float64]) -> Tensor:
        """[b, D] features; from the activations at the cut if there is one."""
        features: Tensor
        if self._tail is None or self._activations is None:
            features = self._network(self._seen(rows, uniform))
        else:
            features = self._tail(self._activations[rows])
        return features

    def _seen(self, rows: Tensor, uniform: NDArray[np.float64]) -> Tensor:
        """[b, 3, H, W] inputs at a step."""
        return self._inputs.plain(rows) if self._tuning.view is None else self._inputs.views(rows, uniform)

    def _start(self, features: Tensor, n_way: int) -> None:
        held = torch.ones(1, len(features), dtype=torch.bool, device=features.device)
        support = Support(features[None], self._labels[None], held, n_way)
        start = starting_heads(self._tuning.start, support, self._tuning.probe_C)
        self._head.weight.data.copy_(start.weight[0].T)
        self._head.bias.data.copy_(start.bias[0])
        self._converged = start.converged

    def _cut(self, support: ImageRows, episode: int, order: Tensor) -> tuple[Tail | None, Tensor | None]:
        """The trained part of the network, and the activations [S, F] of the frozen part before it; None if these do
        not fit in memory."""
        if self._tuning.view is not None:
            return None, None  # each step has views of its own
        if support.frozen is not None and not self._tuning.mixup:
            known = support.frozen.gather(support.rows[episode, order])
            return Tail(self._network, support.frozen.split, self._tuning.layout), known.to(self._labels.device)
        self._inputs.keep()
        if self._tuning.mixup:
            return None, None  # inputs are mixed, not activations
        split = find_split(self._network, self._inputs.plain(torch.arange(2)))
        if split is None or 4 * split.size * len(order) > _KEPT_BYTES:
            return None, None
        return Tail(self._network, split, self._tuning.layout), self._trunk(split)

    def _trunk(self, split: Split) -> Tensor:
        trunk = Trunk(self._network, split)
        with torch.no_grad():
            return in_parts(lambda part: trunk(self._inputs.plain(part)), len(self._labels), self._inputs.at_once)
