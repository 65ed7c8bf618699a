"""The laws of backbones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fewshot.backbones import Backbone, BackboneSource, weights_digest
from fewshot.conformance.judging import close, gap, generator_states, remade
from fewshot.plugins.registry import BACKBONES

_SIZES = ((64, 64), (1, 1), (7, 150), (150, 7), (48, 48))  # pixels


@dataclass(frozen=True, eq=False)
class Networks:
    """A backbone loaded twice, and pictures of many sizes."""

    backbone: Backbone
    again: Backbone
    pictures: tuple[Image.Image, ...]
    drew: bool  # from a global generator, while loading

    @staticmethod
    def of(source: BackboneSource) -> Networks:
        """Loads it; what the source raises is raised."""
        before = generator_states()
        backbone, again = source.load(), source.load()
        drew = generator_states() != before
        if backbone.given:
            raise ValueError(f"{source!r} stands for vectors that were given: there is no network to check")
        noise = np.random.default_rng(0)
        pictures = [Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in _SIZES]
        return Networks(backbone, again, tuple(pictures), drew)

    def inputs(self) -> Tensor:
        """[5, 3, H, W] the preprocessed pictures."""
        return torch.stack([self.backbone.preprocess(picture) for picture in self.pictures])


def preprocessing_takes_any_size(source: BackboneSource, networks: Networks) -> str | None:
    """RGB images of any size become float32 inputs [3, H, W] of one shape, the same at every call."""
    made = [networks.backbone.preprocess(picture) for picture in networks.pictures]
    for picture, tensor in zip(networks.pictures, made, strict=True):
        if tensor.ndim != 3 or tensor.shape[0] != 3 or tensor.shape != made[0].shape or tensor.dtype != torch.float32:
            return f"an image of {picture.size} pixels becomes {list(tensor.shape)} of {tensor.dtype}"
    again = networks.backbone.preprocess(networks.pictures[0])
    return None if torch.equal(again, made[0]) else "the same image is preprocessed otherwise at the second call"


def features_are_finite_of_dim(source: BackboneSource, networks: Networks) -> str | None:
    """[b, D] finite features, D being `dim`; different images have different ones."""
    features = networks.backbone.embed(networks.inputs())
    wanted = (len(_SIZES), networks.backbone.dim)
    if features.shape != wanted or not torch.isfinite(features).all():
        return f"features should be finite, of shape {wanted}; found {tuple(features.shape)}"
    return "all images have the same features" if torch.equal(features, features[:1].expand_as(features)) else None


def frozen_and_in_eval_mode(source: BackboneSource, networks: Networks) -> str | None:
    """No part is in training mode, and no parameter asks for gradients."""
    network = networks.backbone.network
    if any(module.training for module in network.modules()):
        return "a part of the network is in training mode; return freeze(network)"
    if any(parameter.requires_grad for parameter in network.parameters()):
        return "parameters ask for gradients; return freeze(network)"
    return None


def same_bits_twice(source: BackboneSource, networks: Networks) -> str | None:
    """The same inputs have the same features, in the network of another load too, and draw from no generator."""
    inputs, before = networks.inputs(), generator_states()
    first = networks.backbone.embed(inputs)
    if generator_states() != before:
        return "a global random generator was drawn from while embedding"
    if not torch.equal(networks.backbone.embed(inputs), first):
        return "the same inputs have other features at the second call"
    if not torch.equal(networks.again.embed(inputs), first):
        return "the same inputs have other features in the network of another load"
    return None


def rows_are_independent(source: BackboneSource, networks: Networks) -> str | None:
    """An image has the same features, to rounding, whatever images come with it."""
    inputs = networks.inputs()
    whole, alone = networks.backbone.embed(inputs), networks.backbone.embed(inputs[:1])
    return None if close(alone, whole[:1]) else f"an image alone has other features by {gap(alone, whole[:1])}"


def embedding_changes_nothing(source: BackboneSource, networks: Networks) -> str | None:
    """Weights and buffers are the same before and after."""
    before = weights_digest(networks.backbone.network.state_dict())
    networks.backbone.embed(networks.inputs())
    after = weights_digest(networks.backbone.network.state_dict())
    return None if before == after else "embedding changed the network's weights or buffers"


def digests_are_stable(source: BackboneSource, networks: Networks) -> str | None:
    """Two loads have the same digests, and the weights have one."""
    one, other = (
        (b.weights_digest, b.preprocess_digest, b.dim, b.n_params, b.name) for b in (networks.backbone, networks.again)
    )
    if one != other:
        return "two loads differ in weights_digest, preprocess_digest, dim, n_params or name"
    empty = [n for n in ("weights_digest", "preprocess_digest") if not getattr(networks.backbone, n)]
    return f"{empty[0]} is empty: features would be kept under the name of others" if empty else None


def nothing_is_drawn(source: BackboneSource, networks: Networks) -> str | None:
    """Loading draws from no global generator."""
    return "a global random generator was drawn from; load inside torch.random.fork_rng" if networks.drew else None


def spec_round_trip(source: BackboneSource, networks: Networks) -> str | None:
    """The source can be made again from its repr."""
    return remade(BACKBONES, source)


LAWS = (
    preprocessing_takes_any_size,
    features_are_finite_of_dim,
    frozen_and_in_eval_mode,
    same_bits_twice,
    rows_are_independent,
    embedding_changes_nothing,
    digests_are_stable,
    nothing_is_drawn,
    spec_round_trip,
)


def worlds(source: BackboneSource) -> list[Networks]:
    """The backbone, loaded. Missing weights are the error that `load` raises."""
    return [Networks.of(source)]
