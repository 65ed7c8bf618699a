"""Tuned networks with their heads for a batch of episodes, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fewshot.episodes.episodes import EpisodeBatch
from fewshot.evaluators import Head
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.heads import Heads, Support, starting_heads, tune_heads
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.inputs import held_in_order, plain_features
from fewshot.evaluators.tuning.one_episode import TunedEpisode
from fewshot.features.embedding import keep_freed_memory

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


@dataclass(frozen=True, eq=False)
class TunedHead(Head[ImageRows]):
    """Networks of B episodes, each with its linear head."""

    networks: Sequence[nn.Module]  # inputs [b, 3, H, W] to features [b, D]
    heads: Heads
    backbones: Sequence[Backbone]  # their preprocessing makes the inputs
    converged: Tensor | None = None  # [B], for heads that started at an optimum
    layout: str | None = None  # the memory order of activations

    def __call__(self, query: ImageRows) -> Tensor:
        return torch.stack([self._logits(query, e) for e in range(len(self.networks))])

    def _logits(self, query: ImageRows, episode: int) -> Tensor:
        order = torch.arange(query.rows.shape[1])
        with torch.inference_mode():
            backbone, network = self.backbones[episode], self.networks[episode]
            features = plain_features(query, episode, order, backbone, network, self.layout)
            return torch.addmm(self.heads.bias[episode], features, self.heads.weight[episode]).cpu()


def tune(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning) -> TunedHead:
    """The tuned networks and heads of B episodes, one after the other."""
    return tune_each(batch, [(backbone, tuning)] * len(batch.support))


def tune_each(batch: EpisodeBatch[ImageRows], ways: Sequence[tuple[Backbone, Tuning]]) -> TunedHead:
    """The tuned networks and heads of B episodes. Each has its own backbone, for its preprocessing, and its own
    `Tuning`; all have one layout."""
    done = []
    for episode, (backbone, tuning) in enumerate(ways):
        if backbone.device.type == "cpu":
            keep_freed_memory()
        done.append(TunedEpisode(batch, episode, backbone, tuning).tuned())
    heads = Heads(*(torch.cat([getattr(head, part) for _, head in done]) for part in ("weight", "bias")))
    optima = [head.converged for _, head in done if head.converged is not None]
    converged = torch.cat(optima).cpu() if optima else None
    return TunedHead(
        [network for network, _ in done], heads, [backbone for backbone, _ in ways], converged, ways[0][1].layout
    )


def tune_heads_alone(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning) -> TunedHead:
    """The heads of B episodes, trained together on features of the support, which are computed once. The network is not
    trained, and `change` is not called."""
    support = _support(batch, backbone)
    start = starting_heads(tuning.start, support, tuning.probe_C)
    heads = tune_heads(start, support, tuning.descent, tuning.batch_size, batch.seeds, batch.watch)
    converged = None if heads.converged is None else heads.converged.cpu()
    n_episodes = len(batch.support)
    return TunedHead([backbone.network] * n_episodes, heads, [backbone] * n_episodes, converged)


def _support(batch: EpisodeBatch[ImageRows], backbone: Backbone) -> Support:
    """Features of the support of B episodes, each in the order of its rows, padded at the end."""
    size, device = batch.support_mask.shape, backbone.device
    features = torch.zeros(*size, backbone.dim, device=device)
    labels = torch.zeros(size, dtype=torch.int64, device=device)
    mask = torch.zeros(size, dtype=torch.bool, device=device)
    for e in range(len(mask)):
        order = held_in_order(batch.support, batch.support_mask, e)
        with torch.no_grad():
            features[e, : len(order)] = plain_features(batch.support, e, order, backbone, backbone.network)
        labels[e, : len(order)] = batch.support_labels[e, order].to(device)
        mask[e, : len(order)] = True
    return Support(features, labels, mask, batch.n_way)
