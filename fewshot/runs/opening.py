"""Backbones as Python users give them: names, specs, loaded backbones, live networks and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fewshot.plugins.member_field import member
from fewshot.plugins.registry import BACKBONES
from fewshot.plugins.spec import Spec

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


@contextmanager
def opened(backbone: Any, preprocess: Callable[[Image], Tensor] | None) -> Iterator[tuple[Spec, Path | None]]:
    """The spec of a backbone, and the folder for its features: a temporary one for a live network or a function, None
    for the usual cache. A live network is in eval mode inside the context."""
    if isinstance(backbone, str | Spec):
        yield member(BACKBONES, backbone), None
        return
    from torch import nn

    from fewshot.backbones import Backbone
    from fewshot.backbones._held import Called, held_backbone
    from fewshot.backbones._live import live_backbone

    network = backbone
    if callable(backbone) and not isinstance(backbone, nn.Module | type):
        if preprocess is None:
            raise ValueError(
                "a function is a backbone if it maps inputs [b, 3, H, W] to features [b, D]; give preprocess= too, a "
                "function from an RGB image to a [3, H, W] tensor"
            )
        network = Called(backbone)
    if isinstance(network, nn.Module):
        name = type(backbone).__name__ if network is backbone else _name_of(backbone)
        with live_backbone(network, preprocess) as live, TemporaryDirectory() as folder:
            text = f"{name}(weights={live.weights_digest[:8]!r})"
            yield held_backbone(live, text), Path(folder)
    elif isinstance(backbone, Backbone):
        yield held_backbone(backbone, backbone.name), None
    else:
        yield member(BACKBONES, backbone), None


def _name_of(function: Callable[..., Any]) -> str:
    """The name of a function; "function" for one without a name, such as a lambda."""
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else "function"
