"""Networks that turn images into vectors, and the sources they come from: one file a source.

A source (`Timm`, `Packaged`, `Checkpoint`, `Pretrained`, `RandomInit`, `ConvNet`, `RawPixels`, `Function`; `Given`
where there is no network) is a frozen dataclass whose spec belongs to the identity of a run; `load()` gives the
network, frozen, in eval mode, with its own preprocessing.

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

from fewshot.datasets import LabelledImages
from fewshot.plugins.fields import Member
from fewshot.results.training_record import TrainingRecord


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network and what belongs to it. `preprocess` makes the [3, H, W] float32 input of an RGB image."""

    name: str
    network: nn.Module
    preprocess: Callable[[Image.Image], Tensor]
    preprocess_digest: str  # names everything that `preprocess` does, the image size included
    dim: int  # D
    n_params: int
    weights_digest: str  # sha256 hex of the weights that were really loaded
    pretrained_on: str = "unknown"  # such as "ImageNet-1k"; "nothing" for random weights and raw pixels
    given: bool = False  # there is no network: the data set holds the vectors
    training: TrainingRecord | None = None  # of a network that was trained here

    @property
    def device(self) -> torch.device:
        """Where the network is; a network without parameters is on the CPU."""
        return device_of(self.network)

    def to(self, device: str | None) -> Backbone:
        """The same backbone, its network moved to a device; None is the GPU where there is one."""
        self.network.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        return self

    def on(self, images: LabelledImages) -> Backbone:
        """The backbone for these images: itself, or for vectors that were given one of their `dim`. A ValueError where
        the images are vectors and this is a network, or the other way round."""
        images.check_backbone(self.name, self.given)
        return self if images.vectors is None else replace(self, dim=images.vectors.dim)

    def embed(self, inputs: Tensor) -> Tensor:
        """[b, D] features of preprocessed images [b, 3, H, W]. Refuses a network in training mode."""
        training = next((name for name, module in self.network.named_modules() if module.training), None)
        if training is not None:
            raise RuntimeError(
                f"the backbone {self.name} has a part in training mode ({training or 'the network'}): "
                "its features would depend on the other images of the batch; call .eval()"
            )
        with torch.inference_mode():
            features: Tensor = self.network(inputs)
        return features


class BackboneSource(Member, ABC):
    """Where a network comes from."""

    short_name: ClassVar[str] = ""  # the name for people, as a template (plugins/short_name.py); "": class and fields
    stands_for_vectors: ClassVar[bool] = False  # whether it takes the place of a network for data sets of vectors

    @abstractmethod
    def load(self) -> Backbone:
        """The network, frozen and in eval mode. Missing or wrong weights are a ValueError that says what was found."""

    def trained_on(self) -> str:
        """What the weights were trained on, such as "ImageNet-1k"; they are not fetched where it is known without."""
        return self.load().pretrained_on

    def to_download(self) -> str:
        """What `load` would fetch from a network first, in words; '' where everything is here or absent for good."""
        return ""

    def to_train(self) -> str:
        """The spec of what has to be trained before `load`; '' where nothing has."""
        return ""


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """sha256 hex of a state dict: names, shapes, dtypes and values, in the order of their names."""
    sha = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        sha.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        sha.update(value.flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def device_of(network: nn.Module) -> torch.device:
    """Where the first of a network's parameters is."""
    return next(network.parameters(), torch.empty(0)).device


def freeze(network: nn.Module) -> nn.Module:
    """The same network in eval mode, its parameters without gradients."""
    return network.eval().requires_grad_(False)
