"""A dry run of a network on two plain images: finds D, pixels that it never reads, and a classifier left on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fewshot.backbones._timm_errors import BUILDING, first_line
from fewshot.backbones._watched import Margin, Watched, watched

_log = logging.getLogger("fewshot")
_CLASSIFIERS = {"fc", "classifier", "head", "heads", "head_dist", "last_linear", "logits"}  # names of layers


def feature_count(name: str, network: nn.Module, images: Tensor, own_size: bool = False) -> int:
    """D of a network that gives [2, D] for images [2, 3, H, W]; other outputs are a ValueError. Warns of a classifier
    left on and, unless the size is the weights' own, of pixels that are never read."""
    try:
        with watched(network, images.shape) as seen:
            output = _run(network, images)
    except BUILDING as error:
        raise ValueError(_refusal(name, network, images, error)) from error
    if not isinstance(output, Tensor):
        raise ValueError(
            f"{name!r} returns {_described(output)} for 2 images, but one tensor [2, D] is needed; return the part "
            "that holds the features"
        )
    if output.ndim != 2:
        raise ValueError(
            f"{name!r} gives features of shape {tuple(output.shape)} for 2 images, but one vector an image is "
            "needed; choose a pool such as 'avg'"
        )
    if not output.shape[1]:
        raise ValueError(
            f"{name!r} gives no feature for an image, shape (2, 0) for 2 images; return at least one number"
        )
    _warn_of_classifier(name, network, output, seen)
    margin = None if own_size else seen.unread()
    if margin is not None and _changes_nothing(network, images, margin):
        _warn_of_margin(name, images, margin)
    return int(output.shape[1])


def _run(network: nn.Module, images: Tensor) -> Any:
    """Not in inference mode: tensors that a network keeps from its first call must work in training too."""
    with torch.no_grad():
        return network(images)


def _warn_of_classifier(name: str, network: nn.Module, output: Tensor, seen: Watched) -> None:
    by_name = _CLASSIFIERS & set(seen.answers(output).split("."))
    if by_name or output.shape[1] == getattr(network, "num_classes", None):
        _log.warning(
            "%s ends in a classifier of %d classes, so its features are logits; take that layer off, for example put "
            "nn.Identity() in its place",
            *(name, output.shape[1]),
        )


def _warn_of_margin(name: str, images: Tensor, margin: Margin) -> None:
    height, width = images.shape[2:]
    fitting = height - margin.rows
    _log.warning(
        "%s at %d x %d px never reads the lowest %d and the rightmost %d pixels of an image; choose image_size=%d or "
        "%d",
        *(name, height, width, margin.rows, margin.columns, fitting, fitting + margin.stride),
    )


def _changes_nothing(network: nn.Module, images: Tensor, margin: Margin) -> bool:
    """Whether noise in the margin leaves the features as they are: a network may read it in another way."""
    noisy = images.clone()
    noise = torch.rand(images.shape[1:], generator=torch.Generator().manual_seed(0)).to(images.device)
    rows, columns = images.shape[2] - margin.rows, images.shape[3] - margin.columns
    noisy[1, :, rows:], noisy[1, :, :, columns:] = noise[:, rows:], noise[:, :, columns:]
    plain, other = _run(network, noisy)
    return torch.equal(plain, other)


def _refusal(name: str, network: nn.Module, images: Tensor, error: BaseException) -> str:
    """Why a network cannot take these images: the number of channels, or else the size."""
    height, width = images.shape[2:]
    try:
        _run(network, images[:, :1])
    except BUILDING:
        return f"{name!r} cannot take images of {height} x {width} px: {first_line(error)}; choose another image_size"
    return (
        f"{name!r} takes images of 1 channel, but all images are RGB, of 3 channels; put a layer before it that makes "
        "one of three, such as their mean"
    )


def _described(value: Any) -> str:
    """The output of a network that is not a tensor, in words."""
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} of {', '.join(map(repr, list(value)[:5])) or 'nothing'}"
    if isinstance(value, tuple | list):
        parts = [str(list(v.shape)) if isinstance(v, Tensor) else type(v).__name__ for v in value[:5]]
        return f"a {type(value).__name__} of {len(value)} ({', '.join(parts)})"
    return f"a {type(value).__name__}"
