"""Tuned networks with their heads for a batch of episodes, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators import Head
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.heads import Heads, Support, starting_heads, tune_heads
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.inputs import MOST_AT_ONCE, all_held_in_order, plain_features
from fewshot.evaluators.tuning.one_episode import TunedEpisode
from fewshot.features.embedding import keep_freed_memory
from fewshot.features.out_of_memory import halved_until_it_fits, is_out_of_memory

if TYPE_CHECKING:
    from fewshot.backbones import Backbone


@dataclass(frozen=True, eq=False)
class TunedHead(Head[ImageRows]):
    """Networks of B episodes, each with its linear head."""

    networks: Sequence[nn.Module]  # inputs [b, 3, H, W] to features [b, D]
    heads: Heads
    backbones: Sequence[Backbone]  # their preprocessing makes the inputs
    converged: Tensor | None = None  # [B], for heads that started at an optimum
    unit_features: bool = False  # whether heads see features of length 1
    layout: str | None = None  # the memory order of activations

    def __call__(self, query: ImageRows) -> Tensor:
        return torch.stack([self._logits(query, e) for e in range(len(self.networks))])

    def _logits(self, query: ImageRows, episode: int) -> Tensor:
        order = torch.arange(query.rows.shape[1])
        with torch.inference_mode():
            backbone, network = self.backbones[episode], self.networks[episode]
            features = plain_features(query, episode, order, backbone, network, self.layout)
            if self.unit_features:
                features = nn.functional.normalize(features, dim=1)
            return torch.addmm(self.heads.bias[episode], features, self.heads.weight[episode]).cpu()


def tune(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning) -> TunedHead:
    """The tuned networks and heads of B episodes, one after the other."""
    return tune_each(batch, [(backbone, tuning)] * len(batch.support))


def tune_each(batch: EpisodeBatch[ImageRows], ways: Sequence[tuple[Backbone, Tuning]]) -> TunedHead:
    """The tuned networks and heads of B episodes. Each has its own backbone, for its preprocessing, and its own
    `Tuning`; all have one layout."""
    done, most = [], MOST_AT_ONCE
    for episode, (backbone, tuning) in enumerate(ways):
        if backbone.device.type == "cpu":
            keep_freed_memory()
        tuned, most = _tuned_within_memory(batch, episode, backbone, tuning, most)
        done.append(tuned)
    heads = Heads(*(torch.cat([getattr(head, part) for _, head in done]) for part in ("weight", "bias")))
    optima = [head.converged for _, head in done if head.converged is not None]
    converged = torch.cat(optima).cpu() if optima else None
    networks = [network for network, _ in done]
    first = ways[0][1]
    return TunedHead(networks, heads, [one for one, _ in ways], converged, first.unit_features, first.layout)


def _tuned_within_memory(
    batch: EpisodeBatch[ImageRows], episode: int, backbone: Backbone, tuning: Tuning, most: int
) -> tuple[tuple[nn.Module, Heads], int]:
    """The tuned network and head of an episode, and the images of a forward pass that fitted.

    If memory runs out, the episode starts again with half of them: the same mini-batches and gradients, summed in
    smaller parts. BatchNorm that normalises by the mini-batch needs it whole.
    """

    def tuned(at_once: int) -> tuple[nn.Module, Heads]:
        return TunedEpisode(batch, episode, backbone, tuning, at_once).tuned()

    if tuning.batchnorm != "support":
        return halved_until_it_fits(tuned, most, "images")
    try:
        return tuned(most), most
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise MemoryError(
            "memory is too small for a mini-batch, which batchnorm='support' needs as a whole; lower batch_size, or "
            "give batchnorm='frozen'"
        ) from error


def tune_heads_alone(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning) -> TunedHead:
    """The heads of B episodes, trained together on features of the support, which are computed once. The network is not
    trained, and `change` is not called."""
    support = _support(batch, backbone, tuning)
    start = starting_heads(tuning.start, support, tuning.probe_C)
    heads = tune_heads(start, support, tuning.descent, tuning.batch_size, batch.seeds, batch.watch)
    converged = None if heads.converged is None else heads.converged.cpu()
    n_episodes = len(batch.support)
    networks, backbones = [backbone.network] * n_episodes, [backbone] * n_episodes
    return TunedHead(networks, heads, backbones, converged, tuning.unit_features)


def _support(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning) -> Support:
    """Features of the support of B episodes, each in the order of its rows, padded at the end."""
    order, mask = all_held_in_order(batch.support, batch.support_mask)
    features = torch.zeros(*mask.shape, backbone.dim, device=backbone.device)
    for e, held in enumerate(mask.sum(1).tolist()):
        with torch.no_grad():
            plain = plain_features(batch.support, e, order[e, :held], backbone, backbone.network)
            features[e, :held] = tuning.seen_by_head(plain)
    labels = batch.support_labels.gather(1, order) * mask
    return Support(features, labels.to(backbone.device), mask.to(backbone.device), batch.n_way)
