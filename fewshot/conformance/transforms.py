"""The laws of feature transforms."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.conformance.judging import close, gap, generator_states, remade
from fewshot.plugins.registry import TRANSFORMS
from fewshot.transforms import FeatureTransform, Transform


@dataclass(frozen=True)
class TransformWorld:
    """Features of seen classes and of others; a few of these are zero, huge or tiny."""

    dtype: torch.dtype

    def seen(self, seed: int = 1) -> Tensor:
        """[50, 8] features of the seen classes."""
        return torch.randn(50, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(self.dtype) + 1

    def features(self) -> Tensor:
        """[3, 4, 8] features to be mapped."""
        features = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        features[0, :3] *= torch.tensor([0.0, 1e6, 1e-6])[:, None]
        return features.to(self.dtype)

    def fit(self, transform: FeatureTransform, seed: int = 1) -> Transform:
        """The map, fitted on what the transform asks for."""
        return transform.fit(self.seen(seed) if transform.needs_seen else None)


def shape_and_dtype(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """[..., D] features of the same dtype, finite, of zero, huge and tiny rows too; the features are unchanged."""
    features = world.features()
    mapped = world.fit(transform)(features)
    if mapped.shape[:-1] != features.shape[:-1] or mapped.dtype != world.dtype:
        return f"[3, 4, D] features of {world.dtype} were expected; found {list(mapped.shape)} of {mapped.dtype}"
    if not torch.isfinite(mapped).all():
        return f"{int((~torch.isfinite(mapped)).any(-1).sum())} of 12 mapped rows are not finite"
    return None if torch.equal(features, world.features()) else "the features were changed in place"


def row_by_row(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """A row is mapped to the same, whatever rows come with it."""
    features, mapping = world.features(), world.fit(transform)
    whole, alone = mapping(features), mapping(features[1, 2:3])
    return None if close(alone, whole[1, 2:3]) else f"a row alone is mapped otherwise by {gap(alone, whole[1, 2:3])}"


def needs_seen_is_true(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """`needs_seen` says whether the map depends on the seen classes; where it does, none of them are a ValueError."""
    features = world.features()
    one, other = (transform.fit(world.seen(seed))(features) for seed in (1, 2))
    if not transform.needs_seen:
        return None if torch.equal(one, other) else "the map depends on the seen classes; set needs_seen = True"
    if torch.equal(one, other):
        return "needs_seen is True, but the map does not depend on the seen classes"
    try:
        transform.fit(None)
    except ValueError:
        return None
    return "needs_seen is True, but fitting without seen classes is no ValueError"


def same_call_same_bits(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """The same call gives the same bits and draws from no global generator."""
    features = world.features()
    first = world.fit(transform)(features)
    torch.rand(3)
    before = generator_states()
    second = world.fit(transform)(features)
    if before != generator_states():
        return "a global random generator was drawn from"
    return None if torch.equal(first, second) else "two equal calls gave different bits"


def spec_round_trip(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """The transform can be made again from its repr."""
    return remade(TRANSFORMS, transform)


LAWS = (shape_and_dtype, row_by_row, needs_seen_is_true, same_call_same_bits, spec_round_trip)


def worlds(transform: FeatureTransform) -> list[TransformWorld]:
    """The worlds that a transform is tested in."""
    return [TransformWorld(torch.float32), TransformWorld(torch.float64)]
