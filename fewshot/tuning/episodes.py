"""A batch of episodes to tuned networks with their heads, and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fewshot.embedding import keep_freed_memory
from fewshot.episodes import EpisodeBatch
from fewshot.evaluators import Head
from fewshot.images import ImageRows
from fewshot.tuning import Tuning
from fewshot.tuning.episode import TunedEpisode
from fewshot.tuning.heads import Heads, Support, starting_heads, tune_heads
from fewshot.tuning.inputs import held_in_order, plain_features

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


@dataclass(frozen=True, eq=False)
class TunedHead(Head[ImageRows]):
    """Networks of B episodes, each with its linear head."""

    networks: list[nn.Module]  # inputs [b, 3, H, W] to features [b, D]
    heads: Heads
    backbone: Backbone
    converged: Tensor | None = None  # [B], of heads that started at an optimum

    def __call__(self, query: ImageRows) -> Tensor:
        return torch.stack([self._logits(query, e) for e in range(len(self.networks))])

    def _logits(self, query: ImageRows, episode: int) -> Tensor:
        order = torch.arange(query.rows.shape[1])
        with torch.inference_mode():
            features = plain_features(query, episode, order, self.backbone, self.networks[episode])
            return torch.addmm(self.heads.bias[episode], features, self.heads.weight[episode]).cpu()


def tune(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning) -> TunedHead:
    """The tuned networks and heads of B episodes, one after the other; where nothing but the head is trained, on
    images as they are, the heads of all of them together."""
    if backbone.device.type == "cpu":
        keep_freed_memory()
    network, trained = tuning.changed(backbone.network)
    if not trained and tuning.augment == "none":
        return _tune_heads(batch, backbone, tuning, network)
    done = [TunedEpisode(batch, e, backbone, tuning).tuned() for e in range(len(batch.support))]
    heads = Heads(*(torch.cat([getattr(head, part) for _, head in done]) for part in ("weight", "bias")))
    optima = [head.converged for _, head in done if head.converged is not None]
    converged = torch.cat(optima).cpu() if optima else None
    return TunedHead([network for network, _ in done], heads, backbone, converged)


def _tune_heads(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning, network: nn.Module) -> TunedHead:
    """On features of the support, which are computed once."""
    support = _support(batch, backbone, network)
    start = starting_heads(tuning.start, support, tuning.probe_C)
    heads = tune_heads(start, support, tuning.descent, tuning.batch_size, batch.seeds, batch.watch)
    converged = None if heads.converged is None else heads.converged.cpu()
    return TunedHead([network] * len(batch.support), heads, backbone, converged)


def _support(batch: EpisodeBatch[ImageRows], backbone: Backbone, network: nn.Module) -> Support:
    """Features of the support of B episodes, each in the order of its rows, padded at the end."""
    size, device = batch.support_mask.shape, backbone.device
    features = torch.zeros(*size, backbone.dim, device=device)
    labels = torch.zeros(size, dtype=torch.int64, device=device)
    mask = torch.zeros(size, dtype=torch.bool, device=device)
    for e in range(len(mask)):
        order = held_in_order(batch.support, batch.support_mask, e)
        with torch.no_grad():
            features[e, : len(order)] = plain_features(batch.support, e, order, backbone, network)
        labels[e, : len(order)] = batch.support_labels[e, order].to(device)
        mask[e, : len(order)] = True
    return Support(features, labels, mask, batch.n_way)
