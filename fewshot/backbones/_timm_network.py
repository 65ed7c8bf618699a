"""timm networks as backbones: building, preprocessing and pooled features."""

from __future__ import annotations

import difflib
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from fewshot.backbones import Backbone, device_of, freeze, weights_digest
from fewshot.backbones._dry_run import feature_count
from fewshot.backbones._narrow import RATIO, centred
from fewshot.backbones._timm_errors import BUILDING, first_line
from fewshot.backbones._timm_pooling import pooled
from fewshot.plugins.shorthand import PACKAGED
from fewshot.plugins.suggestions import nearest

Config = Mapping[str, Any]  # timm's: input_size, interpolation, mean, std, crop_pct, crop_mode
HUB_PREFIXES = ("hf-hub:", "hf_hub:")


@dataclass(frozen=True, eq=False)
class EvalTransform:
    """timm's evaluation transform, bit for bit: its resizing and cropping, then (pixels / 255 - mean) / std
    in numpy, because torch would start threads inside every decoding thread."""

    geometry: Callable[[Image.Image], Image.Image]
    mean: NDArray[np.float32]  # [3]
    std: NDArray[np.float32]  # [3]
    ratio: int  # of the sides; only the centre of a longer picture is resized

    def __call__(self, image: Image.Image) -> Tensor:
        pixels = np.asarray(self.geometry(centred(image, self.ratio)))  # [H, W, 3]
        height, width, channels = pixels.shape
        rows = pixels.reshape(height, width * channels) / np.float32(255)
        rows -= np.tile(self.mean, width)
        rows /= np.tile(self.std, width)
        return torch.from_numpy(rows).view(height, width, channels).permute(2, 0, 1)  # [3, H, W]


def check_name(name: str) -> None:
    """Raises a ValueError with the nearest names if timm has no network of this name (and tag)."""
    if name.startswith(HUB_PREFIXES):
        return
    architecture = name.partition(".")[0]
    if "/" in name:
        raise ValueError(f"timm has no network {name!r}; for a network of the hub write 'hf-hub:{name}'")
    if not timm.is_model(architecture):
        raise ValueError(f"timm {timm.__version__} has no network {name!r}; {_instead(architecture)}")
    tags = timm.list_pretrained(f"{architecture}.*")
    if "." in name and name not in tags:
        close = sorted(tags, key=lambda tag: -difflib.SequenceMatcher(None, name, tag).ratio())[:3] or ["none"]
        raise ValueError(f"timm has no weights {name!r} of {architecture}; the nearest names are: {', '.join(close)}")


def _instead(architecture: str) -> str:
    """What to type for a network that timm does not have: networks with packaged weights come first."""
    packaged = nearest(architecture, PACKAGED)
    names = ", ".join(dict.fromkeys([*packaged, *nearest(architecture, timm.list_models(), 3)]))
    return f"the nearest names are: {names}" if names else "`fewshot list backbones WORD` searches its names"


def build(
    name: str,
    image_size: int | None = None,
    num_classes: int | None = None,
    pretrained: bool = False,
    seed: int = 0,
    **arguments: Any,
) -> nn.Module:
    """A full timm network, with random weights of `seed` unless `pretrained`; does not change the global generator.
    Passes `image_size` to networks built for one size, such as ViTs, and `arguments` to timm's function for the
    network."""
    check_name(name)
    _check_size(image_size)
    sizes: dict[str, Any] = {"img_size": image_size} if image_size and _has_fixed_size(name) else {}
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return timm.create_model(name, pretrained=pretrained, num_classes=num_classes, **arguments, **sizes)
    except BUILDING as error:
        raise ValueError(f"timm cannot build {name!r}{_at(image_size)}: {first_line(error)}") from error


def resize(network: nn.Module, name: str, image_size: int | None) -> None:
    """Changes the input size of a loaded network that was built for one size; timm resamples its position
    embeddings."""
    if image_size is None or not pretrained_config(network).get("fixed_input_size"):
        return
    try:
        network.set_input_size(img_size=(image_size, image_size))  # type: ignore[operator]
    except BUILDING as error:
        raise ValueError(f"timm cannot bring {name!r} to {image_size} px: {first_line(error)}") from error


def pretrained_config(network: nn.Module) -> Mapping[str, Any]:
    """timm's configuration of a network's weights; empty for other networks."""
    return getattr(network, "pretrained_cfg", None) or {}


def data_config(network: nn.Module, image_size: int | None = None, **changed: Any) -> Config:
    """timm's preprocessing of this network; a network without one gets that of ImageNet at `image_size` or 224."""
    _check_size(image_size)
    pretrained = pretrained_config(network)
    size = image_size if pretrained or image_size else 224
    arguments = changed if size is None else changed | {"input_size": (3, size, size)}
    resolve: Callable[..., Config] = resolve_data_config
    return resolve(arguments, pretrained_cfg=pretrained, model=network)


def timm_backbone(
    name: str, network: nn.Module, config: Config, pool: str | None = None, pretrained_on: str = "unknown"
) -> Backbone:
    """The backbone of a full timm network: frozen, pooled, with the preprocessing of `config`."""
    label = name if pool is None else f"{name} pool={pool}"
    return as_backbone(label, pooled(network, name, pool), config, pretrained_on)


def as_backbone(name: str, network: nn.Module, config: Config, pretrained_on: str = "unknown") -> Backbone:
    """The backbone of a network that returns features; a dry run finds their number."""
    freeze(network)
    images = torch.zeros(2, *config["input_size"], device=device_of(network))
    own_size = tuple(pretrained_config(network).get("input_size") or ()) == tuple(config["input_size"])
    return Backbone(
        name=name,
        network=network,
        preprocess=eval_transform(config),
        preprocess_digest=config_digest(config),
        dim=feature_count(name, network, images, own_size),
        n_params=sum(p.numel() for p in network.parameters()),
        weights_digest=weights_digest(network.state_dict()),
        pretrained_on=pretrained_on,
    )


def config_digest(config: Config) -> str:
    """sha256 hex of a preprocessing: all its sizes, means, deviations and modes."""
    text = json.dumps({"transform": "timm-eval-1", **config}, sort_keys=True, default=float)
    return hashlib.sha256(text.encode()).hexdigest()


def eval_transform(config: Config) -> Callable[[Image.Image], Tensor]:
    """The preprocessing of a configuration: maps an RGB image to a [3, H, W] float32 input."""
    geometry = create_transform(**config, normalize=False)
    geometry.transforms.pop()  # the conversion to a tensor
    mean, std = np.array(config["mean"], np.float32), np.array(config["std"], np.float32)
    # The whole picture is resized by "squash" at any ratio, and by "border" while its shorter side has a pixel left.
    ratio = {"squash": sys.maxsize, "border": min(config["input_size"][1:])}.get(config.get("crop_mode") or "", RATIO)
    return EvalTransform(geometry, mean, std, ratio)


def _check_size(image_size: Any) -> None:
    if image_size is not None and not (isinstance(image_size, int) and image_size >= 1):
        raise ValueError(
            f"image_size is the side of a square, a whole number of pixels of at least 1; got {image_size!r}"
        )


def _has_fixed_size(name: str) -> bool:
    config = None if name.startswith(HUB_PREFIXES) else timm.get_pretrained_cfg(name)
    return config is not None and bool(config.fixed_input_size)


def _at(image_size: int | None) -> str:
    return "" if image_size is None else f" at {image_size} px"
