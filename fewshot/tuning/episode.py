"""A network and its linear head, tuned together on one episode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fewshot.episodes import EpisodeBatch
from fewshot.images import ImageRows
from fewshot.tuning import Tuning
from fewshot.tuning.descent import descend, mini_batches
from fewshot.tuning.heads import Heads, Support, starting_heads
from fewshot.tuning.inputs import AT_ONCE, Inputs, held_in_order, in_parts, plain_features
from fewshot.tuning.network import new_head, normalise_by_batch
from fewshot.tuning.split import Split, Tail, Trunk, find_split

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

_KEPT_BYTES = 256 << 20  # of activations at the cut


class TunedEpisode:
    """One episode while its network is tuned; a larger mini-batch than 64 adds up the gradients of its parts."""

    def __init__(self, batch: EpisodeBatch[ImageRows], episode: int, backbone: Backbone, tuning: Tuning) -> None:
        order = held_in_order(batch.support, batch.support_mask, episode)
        self._tuning, self._seed, self._watch = tuning, int(batch.seeds[episode]), batch.watch
        self._labels = batch.support_labels[episode, order].to(backbone.device)
        self._inputs = Inputs(batch.support, episode, order, backbone, tuning.augment)
        self._network, self._trained = tuning.changed(backbone.network)
        self._head = new_head(backbone.dim, batch.n_way, backbone.device)
        self._converged: Tensor | None = None
        if tuning.start != "zero":
            with torch.no_grad():
                self._start(plain_features(batch.support, episode, order, backbone, self._network), batch.n_way)
        self._tail, self._activations = self._cut(batch.support, episode, order)
        if tuning.batchnorm == "support":
            normalise_by_batch(self._network, self._trained)

    def tuned(self) -> tuple[nn.Module, Heads]:
        """The network in eval mode, without gradients, and its head."""
        n, steps = len(self._labels), len(self._tuning.descent.rates)
        batches = mini_batches(n, self._tuning.batch_size, steps, self._seed)
        at_once = AT_ONCE if self._tuning.batchnorm == "frozen" else n

        def backward(step: int) -> Tensor:
            positions, total = next(batches), torch.zeros(())
            for part in torch.split(positions, at_once):
                loss = self._loss(step, part) * (len(part) / len(positions))
                loss.backward()  # type: ignore[no-untyped-call]
                total = total + loss.detach().cpu()
            return total

        with torch.enable_grad():
            descend([*self._trained, *self._head.parameters()], self._tuning.descent, backward, watch=self._watch)
        weight, bias = self._head.weight.detach(), self._head.bias.detach()
        return self._network.eval().requires_grad_(False), Heads(weight.T[None], bias[None], self._converged)

    def _loss(self, step: int, positions: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self._head(self._features(step, positions)), self._labels[positions])

    def _features(self, step: int, positions: Tensor) -> Tensor:
        """[b, D]: of random views, from the cut on, or of plain inputs."""
        features: Tensor
        if self._tuning.augment != "none":
            features = self._network(self._inputs.views(self._seed, step, positions))
        elif self._tail is not None and self._activations is not None:
            features = self._tail(self._activations[positions])
        else:
            features = self._network(self._inputs.plain(positions))
        return features

    def _start(self, features: Tensor, n_way: int) -> None:
        held = torch.ones(1, len(features), dtype=torch.bool, device=features.device)
        support = Support(features[None], self._labels[None], held, n_way)
        start = starting_heads(self._tuning.start, support, self._tuning.probe_C)
        self._head.weight.data.copy_(start.weight[0].T)
        self._head.bias.data.copy_(start.bias[0])
        self._converged = start.converged

    def _cut(self, support: ImageRows, episode: int, order: Tensor) -> tuple[Tail | None, Tensor | None]:
        """What is trained, and the activations [S, F] of what stands still before it, where they can be kept."""
        if self._tuning.augment != "none":
            return None, None  # each step has views of its own
        if support.frozen is not None:
            known = support.frozen.gather(support.rows[episode, order])
            return Tail(self._network, support.frozen.split), known.to(self._labels.device)
        self._inputs.keep()
        split = find_split(self._network, self._inputs.plain(torch.arange(2)))
        if split is None or 4 * split.size * len(order) > _KEPT_BYTES:
            return None, None
        return Tail(self._network, split), self._trunk(split)

    def _trunk(self, split: Split) -> Tensor:
        trunk = Trunk(self._network, split)
        with torch.no_grad():
            return in_parts(lambda part: trunk(self._inputs.plain(part)), len(self._labels))
