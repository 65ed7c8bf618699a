"""The last block of a vision transformer for its class token alone: the same bits for less work.

Features that are the class token need nothing else of the last MLP, which is a twentieth of a network of twelve blocks.
But a network may pool its tokens in any way, and a product of fewer rows may be summed in another order, so the end of
the network must give the same bits for a real batch first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from fewshot.features.changed_modules import copy_sharing_weights, loaded_class, replace_module

FEWEST_BATCHES = 3  # the end of the first one is computed again


class LastBlock(nn.Module):
    """A block of timm's vision transformer without its outputs for the other tokens."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, tokens: Tensor) -> Tensor:
        """[b, 1, D], the first token after the block, for tokens [b, n, D] before it."""
        block: Any = self.block
        attended: Tensor = block.attn(block.norm1(tokens))
        first = tokens[:, :1] + block.drop_path1(block.ls1(attended[:, :1]))
        last: Tensor = first + block.drop_path2(block.ls2(block.mlp(block.norm2(first))))
        return last


class _Given(nn.Module):
    """Returns the same tokens for any input."""

    def __init__(self, tokens: Tensor) -> None:
        super().__init__()
        self._tokens = tokens

    def forward(self, _: Tensor) -> Tensor:
        return self._tokens


class ClassTokenTrial:
    """Watches a first batch. Then it gives a network whose last block computes the class token alone, or None if its
    features would have other bits."""

    def __init__(self, network: nn.Module, blocks: str) -> None:
        self._network, self._blocks = network, blocks
        self._tokens: Tensor | None = None  # before the last block
        self._hook = _last(network, blocks).register_forward_pre_hook(self._keep)

    @staticmethod
    def of(network: nn.Module) -> ClassTokenTrial | None:
        """The trial of a network; None for other architectures."""
        block = loaded_class("timm.models.vision_transformer", "Block")
        found = [
            name
            for name, module in network.named_modules()
            if name and isinstance(module, nn.Sequential) and len(module) and type(module[-1]) is block
        ]
        return ClassTokenTrial(network, found[0]) if len(found) == 1 else None

    def __call__(self, has_same_features: Callable[[nn.Module], bool]) -> nn.Module | None:
        self._hook.remove()
        if self._tokens is None:
            return None
        last = LastBlock(_last(self._network, self._blocks))
        end = copy_sharing_weights(self._network)
        replace_module(end, self._blocks, nn.Sequential(_Given(self._tokens), last))
        if not has_same_features(end.eval()):
            return None
        short = copy_sharing_weights(self._network)
        blocks: Any = short.get_submodule(self._blocks)
        blocks[-1] = last
        return short.eval()

    def _keep(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._tokens = inputs[0]


def _last(network: nn.Module, blocks: str) -> nn.Module:
    sequence: Any = network.get_submodule(blocks)
    block: nn.Module = sequence[-1]
    return block
