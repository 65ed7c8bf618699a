"""A guard: the features of an image must be a function of that image alone, not of its batch or of chance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fewshot.backbones import Backbone

_TRUSTED = ("torch", "torchvision", "timm", "open_clip", "fewshot")  # packages whose layers treat images one by one
_ROUNDING = {torch.float32: 1e-3}  # of the largest feature: kernels for other batch sizes round in another way
_COARSE = 5e-2  # of it, in bfloat16


def is_doubtful(backbone: Backbone) -> bool:
    """Whether the network is a user's, or holds a layer from outside or a BatchNorm without running statistics."""
    return backbone.own or any(_is_foreign(module) or _uses_batch(module) for module in backbone.network.modules())


def check_alone(
    name: str, embed: Callable[[Tensor], Tensor], inputs: Tensor, place: int, output: Tensor, dtype: torch.dtype
) -> None:
    """Raises a ValueError if the features of an image, `inputs[place]`, are others alone, or behind itself upside down,
    than `output[place]`, those that it has in a batch `inputs` [b, 3, H, W]."""
    image = inputs[place : place + 1]
    turned = image.flip(-2, -1)  # another image whose values a network can take
    batch = output[place].float()
    alone, again = embed(image)[0].float(), embed(image)[0].float()
    second = embed(torch.cat([turned, image]))[1].float()
    rounding = _ROUNDING.get(dtype, _COARSE) * max(float(one.abs().max()) for one in (batch, alone, again, second))

    def differs(one: Tensor, other: Tensor) -> bool:
        return not float((one - other).abs().max()) <= rounding

    if differs(alone, again):
        raise ValueError(
            f"{name} gives one image other features each time, so its features depend on chance; take random numbers "
            "and dropout out of its forward, and load its weights"
        )
    if differs(alone, batch) or differs(alone, second):
        raise ValueError(
            f"{name} gives one image other features alone than in a batch, so its features depend on the other images; "
            "compute each from its own image, without a mean or a norm over the batch"
        )


def _is_foreign(module: nn.Module) -> bool:
    return type(module).__module__.partition(".")[0] not in _TRUSTED


def _uses_batch(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None
