"""Networks that map images to vectors, and their sources: one file for each source.

A source (`Timm`, `OpenCLIP`, `Packaged`, `Checkpoint`, `Pretrained`, `RandomInit`, `ConvNet`, `RawPixels`,
`Function`; `Given` for vectors without a network) is a frozen dataclass; its spec is part of the identity of a run.
`load()` returns the network, frozen, in eval mode, with its own preprocessing.

May import: results, data sets, splits, episodes, files, plugins.
A new source: one file with a class derived from `BackboneSource`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from PIL import Image
from torch import Tensor, nn

from fewshot.backbones._words import Prompts, TextTower
from fewshot.datasets import LabelledImages
from fewshot.plugins.devices import check_device
from fewshot.plugins.fields import Member
from fewshot.results.training_record import TrainingRecord


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network and its preprocessing. `preprocess` maps an RGB image to a [3, H, W] float32 input."""

    name: str
    network: nn.Module
    preprocess: Callable[[Image.Image], Tensor]
    preprocess_digest: str  # identifies all of `preprocess`, including the image size
    dim: int  # D
    n_params: int
    weights_digest: str  # sha256 hex of the loaded weights
    pretrained_on: str = "unknown"  # such as "ImageNet-1k"; "nothing" for random weights and raw pixels
    given: bool = False  # no network: the data set holds the vectors
    training: TrainingRecord | None = None  # for a network that fewshot trained
    own: bool = False  # a user's network, of which nothing is known
    words: TextTower | None = None  # maps texts to the space of the features; None for most networks

    @property
    def device(self) -> torch.device:
        """The device of the network; the CPU for a network without parameters."""
        return device_of(self.network)

    @property
    def flops(self) -> int | None:
        """The FLOPs of the network for one image at its input size, 2 for each multiply-add; None if it has no
        parameters, such as raw pixels and given vectors."""
        if not self.n_params:
            return None
        from fewshot.backbones._counts import operations

        return operations(self.network, tuple(self.preprocess(Image.new("RGB", (64, 64))).shape))

    def to(self, device: str | None) -> Backbone:
        """The same backbone, its network moved to a device; None: the GPU if there is one. A device that is unknown or
        absent is a ValueError."""
        if device is not None:
            check_device(device)
        try:
            self.network.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        except (RuntimeError, AssertionError, ImportError) as error:  # as torch reports an absent device
            if device is None:
                raise
            reason = str(error).partition("\n")[0]
            raise ValueError(f"this machine cannot use the device {device!r}: {reason}; use cpu") from error
        return self

    def on(self, images: LabelledImages) -> Backbone:
        """The backbone for these images: itself, or with the `dim` of given vectors. A network for given vectors, or no
        network for images, is a ValueError."""
        images.check_backbone(self.name, self.given)
        return self if images.vectors is None else replace(self, dim=images.vectors.dim)

    def embed(self, inputs: Tensor) -> Tensor:
        """[b, D] features of preprocessed images [b, 3, H, W]. A network in training mode is a RuntimeError."""
        training = next((name for name, module in self.network.named_modules() if module.training), None)
        if training is not None:
            raise RuntimeError(
                f"the backbone {self.name} has a part in training mode ({training or 'the network'}): "
                "its features would depend on the other images of the batch; call .eval()"
            )
        with torch.inference_mode():
            features = self.network(inputs)
        if not isinstance(features, Tensor):
            shape = [len(inputs), self.dim]
            raise ValueError(f"{self.name} should give one tensor {shape}, but gave a {type(features).__name__}")
        return features


class BackboneSource(Member, ABC):
    """The source of a network."""

    short_name: ClassVar[str] = ""  # display name, a template (plugins/short_name.py); "": class and fields
    has_words: ClassVar[bool] = False  # whether it may have a text tower, and with it `prompts`
    is_untrained: ClassVar[bool] = False  # whether its weights are random
    is_timm_network: ClassVar[bool] = False  # whether its fields name, image_size and pool say which timm network it is
    shows_pixels: ClassVar[bool] = False  # whether its features are the pixels themselves, without a network
    stands_for_vectors: ClassVar[bool] = False  # whether it replaces a network for data sets of vectors

    @abstractmethod
    def load(self) -> Backbone:
        """The network, frozen and in eval mode. Missing or wrong weights are a ValueError that describes the
        problem."""

    def trained_on(self) -> str:
        """The pre-training data of the weights, such as "ImageNet-1k". Downloads them only if nothing else tells."""
        return self.load().pretrained_on

    def check(self) -> None:
        """Raises a ValueError if `load` cannot succeed, such as for a misspelt name, as far as that is known without
        loading or downloading anything."""

    def prompts(self, dataset: str) -> Prompts | None:
        """The templates that turn the class names of a data set of this name into texts, for a network with a text
        tower; None for others. Loads no network."""
        return None

    def to_download(self) -> str:
        """What `load` would download, in words; '' if nothing."""
        return ""

    def to_train(self) -> str:
        """The spec of the network that must be trained before `load`; '' if none."""
        return ""


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """sha256 hex of a state dict: names, shapes, dtypes and values, sorted by name."""
    sha = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        sha.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        sha.update(value.flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def device_of(network: nn.Module) -> torch.device:
    """The device of a network's first parameter."""
    return next(network.parameters(), torch.empty(0)).device


def freeze(network: nn.Module) -> nn.Module:
    """The same network in eval mode, its parameters without gradients."""
    return network.eval().requires_grad_(False)
