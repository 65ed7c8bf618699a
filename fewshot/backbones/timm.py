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
from fewshot.backbones._hub import ABSENT, only_cached, unreachable
from fewshot.backbones._timm_network import (
    HUB_PREFIXES,
    build,
    check_name,
    data_config,
    pretrained_config,
    resize,
    timm_backbone,
)
from fewshot.plugins.fields import declare, integer
from fewshot.plugins.shorthand import PACKAGED, of_folder

_NOT_HERE = "they are not in the local cache and the hub could not be reached"
_LOCAL = ("local-dir:", "local_dir:")
_HUB_FILES = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Timm(BackboneSource):
    """A pretrained network of timm, downloaded by timm's own loader, with its own preprocessing.

    `name` is timm's, with or without a tag ("resnet50.a1_in1k"), or "hf-hub:owner/repository". `image_size`
    replaces the size of the network's configuration, its crop ratio is kept. Features are the pooled pre-logits;
    `pool` chooses others: "token" (class token), "avg" (mean of the patches), "token+avg" (both, one after the
    other), "last4" (class tokens of the last 4 blocks), "last4+avg", or another name of timm's global_pool.
    """

    short_name: ClassVar[str] = "{name}[ @{image_size}]"

    name: str
    image_size: int | None = None
    pool: str | None = None

    rules = declare(image_size=integer(1))

    def load(self) -> Backbone:
        """The network; unknown names, networks without weights and an unreachable hub are a ValueError."""
        self._check_name()
        if not self.name.startswith(HUB_PREFIXES) and not _has_weights(self.name):
            raise ValueError(
                f"timm has no pretrained weights of {self.name!r}; give some with "
                f"Checkpoint(name={self.name!r}, path=...)"
            )
        reason = unreachable(_address(self.name))
        if reason and not _is_cached(self.name):
            raise ValueError(_unavailable(self.name, f"{_NOT_HERE} ({reason})"))
        try:
            with only_cached() if reason else nullcontext():
                network = build(self.name, self.image_size, pretrained=True)
        except OSError as error:
            raise ValueError(_unavailable(self.name, _found(error))) from error
        if self.name.startswith(HUB_PREFIXES):
            resize(network, self.name, self.image_size)
        trained = str(pretrained_config(network).get("tag") or "unknown")  # such as "a1_in1k" or "lvd142m"
        return timm_backbone(self.name, network, data_config(network, self.image_size), self.pool, trained)

    def trained_on(self) -> str:
        """The tag of the weights, from timm's own list."""
        if self.name.startswith(HUB_PREFIXES):
            return super().trained_on()
        self._check_name()
        return str(getattr(timm.get_pretrained_cfg(self.name), "tag", "") or "unknown")

    def _check_name(self) -> None:
        """A folder is not a name of weights: what lies in it would not be part of identities."""
        if self.name.startswith(_LOCAL):
            raise ValueError(f"{self.name!r} is a folder; write {of_folder(self.name.partition(':')[2])}")
        check_name(self.name)

    def to_download(self) -> str:
        """The weights, unless a hub's cache holds them."""
        local = self.name.startswith(_LOCAL)
        return "" if local or _is_cached(self.name) else f"the weights of timm's {self.name!r}"


def _is_cached(name: str) -> bool:
    """Whether the weights are in the cache of the hub that timm asks, or of torch.hub where they have an address."""
    if name.startswith(HUB_PREFIXES):
        return _in_hub_cache(name.partition(":")[2])
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights or config.file or config.state_dict:
        return True  # nothing to fetch: `load` says what is wrong, if anything is
    if config.hf_hub_id:
        return _in_hub_cache(config.hf_hub_id)
    file = str(config.url).rpartition("/")[2] if isinstance(config.url, str) else str((config.url or [""])[-1])
    return (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file()


def _in_hub_cache(repository: str) -> bool:
    """Whether weights of "owner/repository" or "owner/repository@revision" are on the disk."""
    name, _, revision = repository.partition("@")
    found = (try_to_load_from_cache(name, file, revision=revision or None) for file in _HUB_FILES)
    return any(isinstance(path, str) for path in found)


def _has_weights(name: str) -> bool:
    config = timm.get_pretrained_cfg(name)
    return config is not None and bool(config.has_weights)


def _address(name: str) -> str | None:
    """Where weights that are no repository of the hub lie; None for those that are."""
    config = None if name.startswith(HUB_PREFIXES) else timm.get_pretrained_cfg(name)
    if config is None or config.hf_hub_id or not config.url:
        return None
    return config.url if isinstance(config.url, str) else config.url[0]  # an address, and maybe a file's name


def _found(error: OSError) -> str:
    """What an error of a download says."""
    if isinstance(error, ABSENT):
        return f"the hub has none by this name, or not for you ({type(error).__name__})"
    return f"{_NOT_HERE} ({type(error).__name__})"


def _unavailable(name: str, found: str) -> str:
    own = "'<timm name>'" if name.startswith(HUB_PREFIXES) else repr(name)
    return (
        f"the weights of timm's {name!r} were asked for, but {found}; connect once, give a file with "
        f"Checkpoint(name={own}, path=...), or take a network whose weights are a package: {', '.join(PACKAGED)}"
    )
