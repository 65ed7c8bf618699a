"""Few new parameters beside the weights of a network, which stand still.

An adapter is a parametrization of a weight: a module that gives the adapted weight, of the given one and of its own
parameters. So it acts however a layer uses its weight, whatever its stride, padding or groups, and the tensors of the
network stay where they are. Every adapter starts as the identity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

LETTERS = "qkvo"
# What a linear layer computes, by the name it has in its attention: queries, keys, values, output.
_ROLES = {"qkv": "qkv", "kv": "kv", "proj": "o", "out_proj": "o", "to_out": "o"}
_ROLES |= {name: name[3] if name.startswith("to_") else name[0] for name in ("q", "k", "v", "to_q", "to_k", "to_v")}
_ROLES |= {name: name[0] for name in ("q_proj", "k_proj", "v_proj", "query", "key", "value")}
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class LowRank(nn.Module):
    """W + alpha / rank * B A for some of the equal blocks of rows of a matrix W, each with an A and a B of its own (Hu
    et al. 2021, arXiv 2106.09685). A starts uniform within 1 / sqrt(columns), as in the authors' code, B at zero.

    In training mode a share `dropout` of the columns of A is hidden, drawn whenever the weight is asked for: inputs of
    the layer, the same ones for all images.
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


class Residual(nn.Module):
    """W plus a matrix at the middle of the kernel: a 1 x 1 convolution, of the same stride and groups, parallel to the
    given one. It starts at zero."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(weight.new_zeros(*weight.shape[:2], *[1] * (weight.ndim - 2)))
        self._around = [n for size in reversed(weight.shape[2:]) for n in ((size - 1) // 2, size // 2)]

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight."""
        return weight + nn.functional.pad(self.matrix, self._around)


class Scale(nn.Module):
    """W times a number for each pair of an output and an input channel, 1 at the start."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(weight.new_ones(*weight.shape[:2], *[1] * (weight.ndim - 2)))

    def forward(self, weight: Tensor) -> Tensor:
        """The adapted weight."""
        return weight * self.scale


class Shift(nn.Module):
    """b plus a number for each output channel, 0 at the start."""

    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros_like(bias))

    def forward(self, bias: Tensor) -> Tensor:
        """The adapted bias."""
        return bias + self.shift


@dataclass(frozen=True)
class Target:
    """A matrix of a network, and which of its equal blocks of rows are adapted."""

    module: nn.Module
    name: str  # of the parameter
    blocks: tuple[bool, ...]


def add_low_rank(
    network: nn.Module, layers: str, rank: int, alpha: float, dropout: float, seed: int
) -> list[nn.Parameter]:
    """Puts `LowRank` on the chosen layers, and gives its parameters.

    `layers`: letters of "qkvo", for the linear layers of attention that make queries, keys, values and the output (by
    their names; of a fused layer each block of rows is a matrix of its own, in the order q, k, v); or "all" linear
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
        for parameter in _put(
            target.module,
            target.name,
            LowRank(getattr(target.module, target.name), target.blocks, rank, alpha, dropout, generator),
        )
    ]


def add_residual(network: nn.Module, stem: bool) -> list[nn.Parameter]:
    """Puts `Residual` on every convolution with a kernel larger than 1, the first one only with `stem`, and gives its
    parameters. A network without any is a ValueError."""
    convolutions = _convolutions(network)
    chosen = [
        module
        for number, module in enumerate(convolutions)
        if math.prod(module.kernel_size) > 1 and (stem or number > 0)
    ]
    if not chosen:
        raise ValueError(
            f"TaskSpecificAdapters(stem={stem}) looked for convolutions larger than 1 x 1"
            f"{'' if stem else ' after the first'}, but {type(network).__name__} has none ({len(convolutions)} "
            "convolutions in all); LoRA adapts linear layers"
        )
    return [parameter for module in chosen for parameter in _put(module, "weight", Residual(module.weight))]


def add_scale_and_shift(network: nn.Module) -> list[nn.Parameter]:
    """Puts `Scale` and `Shift` on every convolution, and gives their parameters; one without a bias gets one, of zeros.
    A network without convolutions is a ValueError."""
    convolutions, added = _convolutions(network), []
    if not convolutions:
        raise ValueError(
            f"ScaleAndShift looked for convolutions, but {type(network).__name__} has none; LoRA adapts linear layers"
        )
    for module in convolutions:
        added += _put(module, "weight", Scale(module.weight))
        if module.bias is None:
            module.bias = nn.Parameter(module.weight.new_zeros(module.out_channels))
            added.append(module.bias)
        else:
            added += _put(module, "bias", Shift(module.bias))
    return added


def drop_out(network: nn.Module) -> None:
    """Puts the adapters that have a dropout into training mode; everything else stays in eval mode."""
    for module in network.modules():
        if isinstance(module, LowRank):
            module.train()


def _put(module: nn.Module, name: str, adapter: nn.Module) -> list[nn.Parameter]:
    register_parametrization(module, name, adapter)
    module.eval()  # what torch has put around the adapter is new, and in training mode
    return list(adapter.parameters())


def _convolutions(network: nn.Module) -> list[nn.Conv1d | nn.Conv2d | nn.Conv3d]:
    return [module for module in network.modules() if isinstance(module, _CONVOLUTIONS)]


def _linear_targets(network: nn.Module) -> Iterator[Target]:
    for module in network.modules():
        if isinstance(module, nn.Linear):
            yield Target(module, "weight", (True,))
        elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            yield Target(module, "in_proj_weight", (True,) * 3)


def _attention_targets(network: nn.Module, letters: str) -> Iterator[Target]:
    for module in network.modules():
        named = {_ROLES[n]: m for n, m in module.named_children() if n in _ROLES and isinstance(m, nn.Linear)}
        if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            if set(letters) & set("qkv"):
                yield Target(module, "in_proj_weight", tuple(letter in letters for letter in "qkv"))
        elif set(named) <= {"o"}:
            continue  # a layer of this name outside attention
        for roles, layer in named.items():
            blocks = tuple(letter in letters for letter in roles)
            if any(blocks) and layer.out_features % len(blocks) == 0:
                yield Target(layer, "weight", blocks)


def _looked_for(layers: str) -> str:
    if layers == "all":
        return "linear layers"
    return f"linear layers of attention by their names ({', '.join(n for n in _ROLES if set(_ROLES[n]) & set(layers))})"
