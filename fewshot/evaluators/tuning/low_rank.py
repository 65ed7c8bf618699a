"""Low-rank updates of matrices, and the layers of a network that get them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fewshot.evaluators.tuning.adapters import put_in

# The outputs of a linear layer by its name in an attention module: queries, keys, values, output.
_ROLES = {"qkv": "qkv", "kv": "kv", "proj": "o", "out_proj": "o", "to_out": "o"}
_ROLES |= {name: name[3] if name.startswith("to_") else name[0] for name in ("q", "k", "v", "to_q", "to_k", "to_v")}
_ROLES |= {name: name[0] for name in ("q_proj", "k_proj", "v_proj", "query", "key", "value")}


class LowRank(nn.Module):
    """W + alpha / rank * B A for some of the equal blocks of rows of a matrix W, each with its own A and B (Hu et al.
    2021, arXiv 2106.09685). A starts uniform within 1 / sqrt(columns), as in the authors' code, B at zero.

    In training mode a random share `dropout` of the columns of A is dropped at each use of the weight: inputs of the
    layer, the same ones for all images.
    """

    def __init__(
        self,
        weight: Tensor,
        blocks: Sequence[bool],
        rank: int,
        alpha: float,
        dropout: float,
        source: torch.Generator,
    ) -> None:
        super().__init__()
        rows, columns = len(weight) // len(blocks), weight.shape[1]
        chosen = [block for block, wanted in enumerate(blocks) if wanted]
        drawn = torch.rand(len(chosen), rank, columns, generator=source, dtype=torch.float64)
        self.down = nn.Parameter(((2 * drawn - 1) / math.sqrt(columns)).to(weight))  # A, [blocks, rank, columns]
        self.up = nn.Parameter(weight.new_zeros(len(chosen), rows, rank))  # B
        starts = torch.tensor(chosen) * rows
        self.rows = (starts[:, None] + torch.arange(rows)).flatten().to(weight.device)
        self.scale, self.dropout, self._source = alpha / rank, dropout, source

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight."""
        down: Tensor = self.down
        if self.training and self.dropout:
            kept = torch.rand(down.shape[2], generator=self._source) >= self.dropout
            down = down * (kept / (1 - self.dropout)).to(down)
        return weight.index_add(0, self.rows, self.scale * (self.up @ down).flatten(0, 1))


@dataclass(frozen=True)
class Target:
    """A matrix of a network, and the equal blocks of its rows to adapt."""

    module: nn.Module
    name: str  # of the parameter
    blocks: tuple[bool, ...]


def add_low_rank(
    network: nn.Module, layers: str, rank: int, alpha: float, dropout: float, seed: int
) -> list[nn.Parameter]:
    """Puts `LowRank` on the chosen layers and returns its parameters.

    `layers`: letters of "qkvo", for the linear layers of attention that compute queries, keys, values and the output
    (by their names; each block of rows of a fused layer is a separate matrix, in the order q, k, v); or "all" linear
    layers. A network without such layers is a ValueError.
    """
    targets = list(_linear_targets(network) if layers == "all" else _attention_targets(network, layers))
    if not targets:
        linear = sum(isinstance(module, nn.Linear) for module in network.modules())
        advice = "layers='all' adapts those" if linear else "TaskSpecificAdapters and ScaleAndShift adapt convolutions"
        raise ValueError(
            f"LoRA(layers={layers!r}) looked for {_looked_for(layers)}, but {type(network).__name__} has none "
            f"({linear} linear layers in all); {advice}"
        )
    generator = torch.Generator().manual_seed(seed)
    return [
        parameter
        for target in targets
        for parameter in put_in(
            target.module,
            target.name,
            LowRank(getattr(target.module, target.name), target.blocks, rank, alpha, dropout, generator),
        )
    ]


def drop_out(network: nn.Module) -> None:
    """Puts the adapters that have a dropout into training mode; everything else stays in eval mode."""
    for module in network.modules():
        if isinstance(module, LowRank):
            module.train()


def _linear_targets(network: nn.Module) -> Iterator[Target]:
    for module in network.modules():
        if isinstance(module, nn.Linear):
            yield Target(module, "weight", (True,))
        elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            yield Target(module, "in_proj_weight", (True,) * 3)


def _attention_targets(network: nn.Module, letters: str) -> Iterator[Target]:
    for module in network.modules():
        named = [(n, m) for n, m in module.named_children() if n in _ROLES and isinstance(m, nn.Linear)]
        if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            if set(letters) & set("qkv"):
                yield Target(module, "in_proj_weight", tuple(letter in letters for letter in "qkv"))
        elif all(_ROLES[name] == "o" for name, _ in named):
            continue  # a layer of this name outside attention
        for name, layer in named:
            blocks = tuple(letter in letters for letter in _ROLES[name])
            if layer.out_features % len(blocks):
                raise ValueError(
                    f"the layer {name!r} of {type(module).__name__} has {layer.out_features} outputs, which are not "
                    f"{len(blocks)} equal blocks; LoRA(layers='all') adapts it as a whole"
                )
            if any(blocks):
                yield Target(layer, "weight", blocks)


def _looked_for(layers: str) -> str:
    if layers == "all":
        return "linear layers"
    return f"linear layers of attention by their names ({', '.join(n for n in _ROLES if set(_ROLES[n]) & set(layers))})"
