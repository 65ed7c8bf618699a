"""A network tuned so that its support lies near the centroids of its classes, by cosine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, one_hot

from fewshot.episodes.batch import EpisodeBatch
from fewshot.evaluators.tuning import Tuning
from fewshot.evaluators.tuning.descent import check_finite
from fewshot.evaluators.tuning.heads import Heads
from fewshot.evaluators.tuning.image_rows import ImageRows
from fewshot.evaluators.tuning.inputs import MOST_AT_ONCE, Inputs, held_in_order, in_parts
from fewshot.evaluators.tuning.tuned_head import TunedHead
from fewshot.features.embedding import keep_freed_memory
from fewshot.features.out_of_memory import halved_until_it_fits

if TYPE_CHECKING:
    from fewshot.backbones import Backbone

_SCALE = 10.0  # logits are this times the cosine


class Aligned(nn.Module):
    """A network and a linear map of its features, which starts as the identity: features [b, D] of length one."""

    def __init__(self, network: nn.Module, dim: int, device: torch.device) -> None:
        super().__init__()
        self.network, self.map = network, nn.Parameter(torch.eye(dim, device=device))

    def aligned(self, inputs: Tensor) -> Tensor:
        """[b, D] features before normalisation."""
        mapped: Tensor = self.network(inputs) @ self.map.T
        return mapped

    def forward(self, inputs: Tensor) -> Tensor:
        """[b, 3, H, W] to [b, D]."""
        return normalize(self.aligned(inputs), dim=1)


def tune_to_centroids(batch: EpisodeBatch[ImageRows], backbone: Backbone, tuning: Tuning, map_lr: float) -> TunedHead:
    """The tuned networks of B episodes, whose logits are 10 cos(feature, centroid of the support).

    The loss is their cross-entropy on the whole support. Adadelta minimises it, with the learning rates of
    `tuning.descent` for the network and `map_lr` for a linear map of the features.
    """
    if backbone.device.type == "cpu":
        keep_freed_memory()

    def tuned(episode: int) -> tuple[nn.Module, Tensor]:
        attempt = partial(_tuned, batch, episode, backbone, tuning, map_lr)
        return halved_until_it_fits(attempt, MOST_AT_ONCE, "images")[0]

    done = [tuned(episode) for episode in range(len(batch.support))]
    weight = torch.stack([weight for _, weight in done])
    heads = Heads(weight, weight.new_zeros(len(done), batch.n_way))
    return TunedHead([network for network, _ in done], heads, [backbone] * len(done))


def centroid_weights(features: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """[D, N] weights that map a unit feature to 10 times its cosine with the mean feature of each class."""
    centroids = one_hot(labels, n_way).to(features).T @ features  # sums have the direction of means
    return _SCALE * normalize(centroids, dim=1).T


def centroid_loss(features: Tensor, labels: Tensor, n_way: int) -> Tensor:
    """The cross-entropy of features [S, D] on the centroids of their own classes."""
    return cross_entropy(normalize(features, dim=1) @ centroid_weights(features, labels, n_way), labels)


def _tuned(
    batch: EpisodeBatch[ImageRows], episode: int, backbone: Backbone, tuning: Tuning, map_lr: float, most: int
) -> tuple[nn.Module, Tensor]:
    """An episode's network and the weights [D, N] of its head, with at most `most` images per forward pass."""
    order, seed = held_in_order(batch.support, batch.support_mask, episode), int(batch.seeds[episode])
    labels = batch.support_labels[episode, order].to(backbone.device)
    inputs = Inputs(batch.support, episode, order, backbone, most=most)
    inputs.keep()
    network, trained = tuning.changed(backbone.network, seed)
    aligned = Aligned(network, backbone.dim, backbone.device)

    def features(positions: Tensor) -> Tensor:
        return aligned.aligned(inputs.plain(positions))

    groups: list[dict[str, Any]] = [{"params": trained}, {"params": [aligned.map], "lr": map_lr}]
    optimizer = torch.optim.Adadelta(groups)
    steps = len(tuning.descent.rates)
    for step, rate in enumerate(tuning.descent.rates):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        check_finite(_backward(features, labels, batch.n_way, inputs.at_once), step, tuning.descent)
        optimizer.step()
        if batch.watch is not None:
            batch.watch(step + 1, steps)
    with torch.no_grad():
        weight = centroid_weights(in_parts(features, len(labels), inputs.at_once), labels, batch.n_way)
    return aligned.eval().requires_grad_(False), weight


def _backward(features: Callable[[Tensor], Tensor], labels: Tensor, n_way: int, at_once: int) -> Tensor:
    """The loss; adds its gradients. For a large support: the gradients of its features first, then those of the network
    part by part, in the memory of one part."""
    whole = torch.arange(len(labels))
    with torch.enable_grad():
        if len(whole) <= at_once:
            loss = centroid_loss(features(whole), labels, n_way)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.detach()
        with torch.no_grad():
            known = in_parts(features, len(labels), at_once)
        loss = centroid_loss(known.requires_grad_(), labels, n_way)
        (gradient,) = torch.autograd.grad(loss, known)
        for part in torch.split(whole, at_once):
            features(part).backward(gradient[part])  # type: ignore[no-untyped-call]
    return loss.detach()
