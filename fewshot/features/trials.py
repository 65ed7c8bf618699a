"""Faster forms of a network on the CPU, each tried on a real batch: it must give the same bits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fewshot.features import class_token, fusing

# Gives the faster form of a network, or None. It asks whether a network, or the end of one, has the same features.
Trial = Callable[[Callable[[nn.Module], bool]], nn.Module | None]


def trial_of(network: nn.Module, dtype: torch.dtype, shape: torch.Size, n_batches: int) -> Trial | None:
    """A trial for the first of so many batches of inputs of this shape, if it pays; begun before that batch."""
    if n_batches >= class_token.FEWEST_BATCHES and (short := class_token.ClassTokenTrial.of(network)) is not None:
        return short
    if n_batches >= fusing.FEWEST_BATCHES and dtype == torch.float32:
        return _Rectified(network, shape)
    return None


class _Rectified:
    """Tries the network whose convolutions compute the ReLUs behind them."""

    def __init__(self, network: nn.Module, shape: torch.Size) -> None:
        self._network, self._shape = network, shape

    def __call__(self, has_same_features: Callable[[nn.Module], bool]) -> nn.Module | None:
        faster = fusing.rectified(self._network, torch.zeros(2, *self._shape))
        return faster if faster is not None and has_same_features(faster) else None


def gives(embed: Callable[[Tensor], Tensor], inputs: Tensor, wanted: Tensor) -> bool:
    """Whether this gives the same bits for these inputs."""
    try:
        output = embed(inputs)
    except Exception:  # the network's own code may fail in any way with other modules inside
        return False
    return output.shape == wanted.shape and torch.equal(_bits(output), _bits(wanted))


def _bits(features: Tensor) -> Tensor:
    return features.contiguous().view(torch.uint8)
