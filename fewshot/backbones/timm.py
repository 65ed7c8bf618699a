"""Pretrained weights from timm's hub."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import timm
import torch
from huggingface_hub import try_to_load_from_cache

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._hub import ABSENT, only_cached, quiet, unreachable
from fewshot.backbones._timm_network import (
    HUB_PREFIXES,
    build,
    check_name,
    data_config,
    pretrained_config,
    resize,
    timm_backbone,
)
from fewshot.plugins.fields import declare, integer, number_in
from fewshot.plugins.shorthand import PACKAGED, of_folder
from fewshot.plugins.signature import Later
from fewshot.plugins.suggestions import hint

_NOT_HERE = "they are not in the local cache and the hub could not be reached"
_LOCAL = ("local-dir:", "local_dir:")
_HUB_FILES = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Timm(BackboneSource):
    """A pretrained timm network, downloaded by timm's own loader, with its own preprocessing.

    `name` is timm's, with or without a tag ("resnet50.a1_in1k"), or "hf-hub:owner/repository". `image_size` replaces
    the size of the network's configuration and keeps its crop ratio; `crop_pct` (the share of the resized image that is
    kept) replaces that ratio. Of CLIP and SigLIP this is the image tower alone, before its projection; OpenCLIP has
    both towers. Features are the pooled pre-logits, or by `pool`:
    "token" (class token), "avg" (mean of the patches), "token+avg" (both, concatenated), "last4" (class tokens of the
    last 4 blocks), "last4+avg", or another name of timm's global_pool.
    """

    short_name: ClassVar[str] = "{name}[ @{image_size}]"
    is_timm_network: ClassVar[bool] = True

    name: str
    image_size: int | None = None
    pool: str | None = None
    crop_pct: float | Later = None

    rules = declare(image_size=integer(1), crop_pct=number_in("(0, 1]"))

    def check(self) -> None:
        """Raises a ValueError for an unknown name, for a network without pretrained weights, and for a folder, because
        its content would not be part of the identity."""
        self._check_name()
        if not self.name.startswith(HUB_PREFIXES) and not _has_weights(self.name):
            raise ValueError(
                f"timm has no pretrained weights of {self.name!r}; load your own with "
                f"Checkpoint(name={self.name!r}, path=...)"
            )

    def load(self) -> Backbone:
        """The network. Unknown names, networks without weights and an unreachable hub are a ValueError."""
        self.check()
        reason = unreachable(_address(self.name))
        if reason and not _is_cached(self.name):
            raise ValueError(_unavailable(self.name, f"{_NOT_HERE} ({reason})"))
        try:
            with quiet(), only_cached() if reason else nullcontext():
                network = build(self.name, self.image_size, pretrained=True)
        except OSError as error:
            raise ValueError(_unavailable(self.name, _reason(error))) from error
        if self.name.startswith(HUB_PREFIXES):
            resize(network, self.name, self.image_size)
        trained = str(pretrained_config(network).get("tag") or "unknown")  # such as "a1_in1k" or "lvd142m"
        crop = {} if self.crop_pct is None else {"crop_pct": self.crop_pct}
        return timm_backbone(self.name, network, data_config(network, self.image_size, **crop), self.pool, trained)

    def trained_on(self) -> str:
        """The tag of the weights, from timm's own list."""
        if self.name.startswith(HUB_PREFIXES):
            return super().trained_on()
        self.check()
        return str(getattr(timm.get_pretrained_cfg(self.name), "tag", "") or "unknown")

    def _check_name(self) -> None:
        if self.name.startswith(_LOCAL):
            raise ValueError(f"{self.name!r} is a folder; write {of_folder(self.name.partition(':')[2])}")
        check_name(self.name)

    def to_download(self) -> str:
        """The weights, unless a cache holds them."""
        local = self.name.startswith(_LOCAL)
        return "" if local or _is_cached(self.name) else f"the weights of timm's {self.name!r}"


def _is_cached(name: str) -> bool:
    """Whether the weights are in the cache of timm's hub, or in that of torch.hub if they have a URL."""
    if name.startswith(HUB_PREFIXES):
        return _in_hub_cache(name.partition(":")[2])
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights or config.file or config.state_dict:
        return True  # nothing to download: `load` reports any error
    if config.hf_hub_id:
        return _in_hub_cache(config.hf_hub_id)
    file = str(config.url).rpartition("/")[2] if isinstance(config.url, str) else str((config.url or [""])[-1])
    return (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file()


def _in_hub_cache(repository: str) -> bool:
    """Whether weights of "owner/repository" or "owner/repository@revision" are on disk."""
    name, _, revision = repository.partition("@")
    paths = (try_to_load_from_cache(name, file, revision=revision or None) for file in _HUB_FILES)
    return any(isinstance(path, str) for path in paths)


def _has_weights(name: str) -> bool:
    config = timm.get_pretrained_cfg(name)
    return config is not None and bool(config.has_weights)


def _address(name: str) -> str | None:
    """The URL of weights outside the hub; None for those on the hub."""
    config = None if name.startswith(HUB_PREFIXES) else timm.get_pretrained_cfg(name)
    if config is None or config.hf_hub_id or not config.url:
        return None
    return config.url if isinstance(config.url, str) else config.url[0]  # a URL, and maybe a file name


def _reason(error: OSError) -> str:
    """Why a download failed, in words."""
    if isinstance(error, ABSENT):
        return f"the hub has none by this name, or you have no access ({type(error).__name__})"
    return f"{_NOT_HERE} ({type(error).__name__})"


def _unavailable(name: str, reason: str) -> str:
    own = "'<timm name>'" if name.startswith(HUB_PREFIXES) else repr(name)
    architecture = name.partition(".")[0]
    meant = "" if name.startswith(HUB_PREFIXES) or architecture in PACKAGED else hint(architecture, PACKAGED)
    packaged = f"a network with packaged weights: {', '.join(PACKAGED)}"
    if architecture in PACKAGED:
        packaged = f"the weights of a package: Packaged({architecture!r})"
    return (
        f"the weights of timm's {name!r} are not available: {reason}; connect once, load a file with "
        f"Checkpoint(name={own}, path=...), or use {packaged}{meant and '.' + meant}"
    )
