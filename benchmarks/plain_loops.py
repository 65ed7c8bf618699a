"""The loops that a user writes to tune a network on the support of an episode: inputs are preprocessed once and kept,
frozen parameters have no gradients, the network stays in eval mode, and each step runs the whole network."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fewshot.evaluators.tuning.network import last_blocks, norm_parameters

if TYPE_CHECKING:
    from fewshot.backbones import Backbone
    from fewshot.episodes.batch import EpisodeBatch
    from fewshot.evaluators.tuning.image_rows import ImageRows

Loop = Callable[[Any, "Backbone", "EpisodeBatch[ImageRows]", "ImageRows"], Tensor]  # gives logits [M, N]


def descend(evaluator: Any, network: nn.Module, dim: int, batch: EpisodeBatch[Any], inputs: Tensor) -> nn.Module:
    """The network and a head that starts at zero, trained by SGD with momentum 0.9."""
    head = nn.Linear(dim, batch.n_way).to(inputs)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model, labels = nn.Sequential(network, head), batch.support_labels[0]
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], evaluator.lr, momentum=0.9)
    for _ in range(evaluator.steps):
        loss = cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return model


def _inputs(backbone: Backbone, rows: ImageRows) -> Tensor:
    return torch.stack([backbone.preprocess(image) for image in rows.decode(0, list(range(rows.rows.shape[1])))])


def _tuned(prepare: Callable[[nn.Module, Any, int], nn.Module]) -> Loop:
    """The loop for a network that `prepare` makes from a copy: it has gradients where it is trained."""

    def loop(evaluator: Any, backbone: Backbone, batch: EpisodeBatch[ImageRows], query: ImageRows) -> Tensor:
        network = prepare(copy.deepcopy(backbone.network).requires_grad_(False), evaluator, int(batch.seeds[0]))
        model = descend(evaluator, network, backbone.dim, batch, _inputs(backbone, batch.support))
        with torch.inference_mode():
            logits: Tensor = model(_inputs(backbone, query))
        return logits

    return loop


def _whole(network: nn.Module, evaluator: Any, seed: int) -> nn.Module:
    return network.requires_grad_(True)


def _last(network: nn.Module, evaluator: Any, seed: int) -> nn.Module:
    trained = set(last_blocks(network, 1))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in trained)
    return network


def _norms(network: nn.Module, evaluator: Any, seed: int) -> nn.Module:
    for parameter in norm_parameters(network):
        parameter.requires_grad_(True)
    return network


class _LowRank(nn.Module):
    """A frozen linear layer of queries, keys and values beside low-rank maps of its inputs."""

    def __init__(self, layer: nn.Linear, rank: int, scale: float, source: torch.Generator) -> None:
        super().__init__()
        self.layer, self.scale = layer, scale
        columns, blocks = layer.in_features, 3
        drawn = torch.rand(blocks, rank, columns, generator=source, dtype=torch.float64)  # as ours starts
        self.down = nn.Parameter(((2 * drawn - 1) / columns**0.5).to(layer.weight))
        self.up = nn.Parameter(torch.zeros(blocks, layer.out_features // blocks, rank).to(layer.weight))

    def forward(self, inputs: Tensor) -> Tensor:
        """The layer's outputs and the products of the maps."""
        added = [inputs @ down.T @ up.T for down, up in zip(self.down, self.up, strict=True)]
        outputs: Tensor = self.layer(inputs) + self.scale * torch.cat(added, dim=-1)
        return outputs


def _lora(network: nn.Module, evaluator: Any, seed: int) -> nn.Module:
    source = torch.Generator().manual_seed(seed)
    for block in network.blocks:  # type: ignore[union-attr]
        block.attn.qkv = _LowRank(block.attn.qkv, evaluator.rank, evaluator.alpha / evaluator.rank, source)
    return network


def _head(evaluator: Any, backbone: Backbone, batch: EpisodeBatch[ImageRows], query: ImageRows) -> Tensor:
    """The loop for a head alone, on ready features."""
    assert batch.support.frozen is not None
    support, queries = (batch.support.frozen.gather(rows.rows[0]) for rows in (batch.support, query))
    model = descend(evaluator, nn.Identity(), backbone.dim, batch, support)
    with torch.inference_mode():
        logits: Tensor = model(queries)
    return logits


LOOPS: dict[str, Loop] = {
    "whole": _tuned(_whole),
    "last": _tuned(_last),
    "norms": _tuned(_norms),
    "lora": _tuned(_lora),
    "head": _head,
}
