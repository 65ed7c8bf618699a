"""The laws of backbones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fewshot.backbones import Backbone, BackboneSource, weights_digest
from fewshot.conformance.judging import close, gap, generator_states, repr_problem
from fewshot.plugins.registry import BACKBONES

_SIZES = ((64, 64), (1, 1), (7, 150), (150, 7), (48, 48))  # pixels


@dataclass(frozen=True, eq=False)
class Networks:
    """A backbone loaded twice, and pictures of many sizes."""

    backbone: Backbone
    again: Backbone
    pictures: tuple[Image.Image, ...]
    used_global_generator: bool  # while loading

    @staticmethod
    def of(source: BackboneSource) -> Networks:
        """The source, loaded twice; errors of the source pass through."""
        before = generator_states()
        backbone, again = source.load(), source.load()
        used_global_generator = generator_states() != before
        if backbone.given:
            raise ValueError(f"{source!r} stands for given vectors: it has no network to check")
        noise = np.random.default_rng(0)
        pictures = [Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in _SIZES]
        return Networks(backbone, again, tuple(pictures), used_global_generator)

    def inputs(self) -> Tensor:
        """[5, 3, H, W] the preprocessed pictures."""
        return torch.stack([self.backbone.preprocess(picture) for picture in self.pictures])


def preprocessing_takes_any_size(source: BackboneSource, networks: Networks) -> str | None:
    """Preprocessing turns RGB images of any size into float32 inputs [3, H, W] of one shape, the same at every call."""
    inputs = [networks.backbone.preprocess(picture) for picture in networks.pictures]
    wanted = inputs[0].shape
    for picture, tensor in zip(networks.pictures, inputs, strict=True):
        if tensor.ndim != 3 or tensor.shape[0] != 3 or tensor.shape != wanted or tensor.dtype != torch.float32:
            return (
                f"all inputs should be float32 of one shape [3, H, W]; an image of {picture.size} pixels becomes "
                f"{list(tensor.shape)} of {tensor.dtype}"
            )
    again = networks.backbone.preprocess(networks.pictures[0])
    return None if torch.equal(again, inputs[0]) else "preprocessing the same image twice gives different inputs"


def features_are_finite_of_dim(source: BackboneSource, networks: Networks) -> str | None:
    """Features are finite, of shape [b, dim], and differ between different images."""
    features = networks.backbone.embed(networks.inputs())
    wanted = (len(_SIZES), networks.backbone.dim)
    if features.shape != wanted or not torch.isfinite(features).all():
        return f"features should be finite, of shape {wanted}; found {tuple(features.shape)}"
    return "all images have the same features" if torch.equal(features, features[:1].expand_as(features)) else None


def frozen_and_in_eval_mode(source: BackboneSource, networks: Networks) -> str | None:
    """No module is in training mode, and no parameter requires gradients."""
    network = networks.backbone.network
    if any(module.training for module in network.modules()):
        return "a module of the network is in training mode; return freeze(network)"
    if any(parameter.requires_grad for parameter in network.parameters()):
        return "a parameter requires gradients; return freeze(network)"
    return None


def same_bits_twice(source: BackboneSource, networks: Networks) -> str | None:
    """The same inputs give the same features, after another load too, and embedding uses no global generator."""
    inputs, before = networks.inputs(), generator_states()
    first = networks.backbone.embed(inputs)
    if generator_states() != before:
        return "embedding uses a global random generator; use a generator of its own with a fixed seed"
    if not torch.equal(networks.backbone.embed(inputs), first):
        return "embedding the same inputs twice gives different features"
    if not torch.equal(networks.again.embed(inputs), first):
        return "after another load, the same inputs give different features"
    return None


def rows_are_independent(source: BackboneSource, networks: Networks) -> str | None:
    """An image has the same features, to rounding, whatever the other images of the batch are."""
    inputs = networks.inputs()
    whole, alone = networks.backbone.embed(inputs), networks.backbone.embed(inputs[:1])
    return None if close(alone, whole[:1]) else f"features of an image depend on its batch, by {gap(alone, whole[:1])}"


def embedding_changes_nothing(source: BackboneSource, networks: Networks) -> str | None:
    """Embedding leaves weights and buffers unchanged."""
    before = weights_digest(networks.backbone.network.state_dict())
    networks.backbone.embed(networks.inputs())
    after = weights_digest(networks.backbone.network.state_dict())
    return None if before == after else "embedding changes the network's weights or buffers"


def digests_are_stable(source: BackboneSource, networks: Networks) -> str | None:
    """Two loads have the same digests, and neither digest is empty."""
    one, other = (
        (b.weights_digest, b.preprocess_digest, b.dim, b.n_params, b.name) for b in (networks.backbone, networks.again)
    )
    if one != other:
        return "two loads differ in weights_digest, preprocess_digest, dim, n_params or name"
    empty = [n for n in ("weights_digest", "preprocess_digest") if not getattr(networks.backbone, n)]
    return f"{empty[0]} is empty, so cached features of different networks would get one name" if empty else None


def loading_uses_no_global_generator(source: BackboneSource, networks: Networks) -> str | None:
    """Loading uses no global random generator."""
    if networks.used_global_generator:
        return "loading uses a global random generator; load inside torch.random.fork_rng"
    return None


def spec_round_trip(source: BackboneSource, networks: Networks) -> str | None:
    """The repr of the source creates an equal source."""
    return repr_problem(BACKBONES, source)


LAWS = (
    preprocessing_takes_any_size,
    features_are_finite_of_dim,
    frozen_and_in_eval_mode,
    same_bits_twice,
    rows_are_independent,
    embedding_changes_nothing,
    digests_are_stable,
    loading_uses_no_global_generator,
    spec_round_trip,
)


def worlds(source: BackboneSource) -> list[Networks]:
    """The backbone, loaded twice. Missing weights raise the error of `load`."""
    return [Networks.of(source)]
