"""The size of a network that a row names, where it can be built without its weights."""

from __future__ import annotations

from functools import cache

from fewshot.plugins.registry import BACKBONES
from fewshot.results.row import Row


def n_params(row: Row) -> int | None:
    """The number of weights of a row's network as this machine builds it; None where that needs the weights."""
    spec = BACKBONES.spec(row.backbone, allow_import=False)
    if spec.declares("shows_pixels"):
        return 0
    name = str(spec.fields.get("name", ""))
    if not spec.declares("is_timm_network") or ":" in name or row.network:
        return None
    pool = spec.fields.get("pool")
    return _built(name, spec.fields.get("image_size"), None if pool is None else str(pool))


@cache
def _built(name: str, image_size: int | None, pool: str | None) -> int | None:
    """The number of weights of a timm network; it is built without memory for them."""
    import torch

    from fewshot.backbones._timm_network import build
    from fewshot.backbones._timm_pooling import pooled

    try:
        with torch.device("meta"):
            network = pooled(build(name, image_size, pretrained=False), name, pool)
    except (ValueError, RuntimeError, NotImplementedError):
        return None
    return sum(parameter.numel() for parameter in network.parameters())
