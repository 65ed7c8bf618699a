"""A network during its training, evaluated without changing it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from fewshot.backbones import Backbone, device_of, weights_digest
from fewshot.backbones._dry_run import feature_count
from fewshot.backbones._timm_network import data_config, eval_transform, pretrained_config

_log = logging.getLogger("fewshot")


@contextmanager
def live_backbone(network: nn.Module, preprocess: Callable[[Image.Image], Tensor] | None = None) -> Iterator[Backbone]:
    """A backbone of the network in its current state, in eval mode inside the context; then every module's mode is
    restored.

    `network` maps inputs [b, 3, H, W] to features [b, D]. `preprocess` maps an RGB image to an input [3, H, W]; None:
    timm's evaluation transform for a timm network, a ValueError for others.
    """
    if preprocess is None:
        if not pretrained_config(network):
            raise ValueError(
                f"{type(network).__name__} has no preprocessing of its own; give preprocess=, a function from an RGB "
                "image to a [3, H, W] tensor"
            )
        preprocess = eval_transform(data_config(network))
    _warn_of_classifier(network)
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield Backbone(
            name="live network",
            network=network,
            preprocess=preprocess,
            preprocess_digest="",
            dim=feature_count("live network", network, _white(network, preprocess), own_size=True),
            n_params=sum(p.numel() for p in network.parameters()),
            weights_digest=weights_digest(network.state_dict()),
            own=True,
        )
    finally:
        for module, training in modes:
            module.training = training


def _warn_of_classifier(network: nn.Module) -> None:
    """Logs a warning for a network of timm whose classifier was not removed: it gives logits, not features."""
    get: Any = getattr(network, "get_classifier", None)
    classifier = get() if callable(get) else None
    if isinstance(classifier, nn.Linear):
        _log.warning(
            "%s gives the %s logits of its classifier, not features; remove it with network.reset_classifier(0) or "
            "timm.create_model(..., num_classes=0)",
            type(network).__name__,
            f"{classifier.out_features:,}",
        )


def _white(network: nn.Module, preprocess: Callable[[Image.Image], Tensor]) -> Tensor:
    """[2, 3, H, W]: two white images."""
    example = preprocess(Image.new("RGB", (64, 64), "white"))
    return torch.stack([example, example]).to(device_of(network))
