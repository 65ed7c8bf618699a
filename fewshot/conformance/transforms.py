"""The laws of feature transforms."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fewshot.conformance.judging import close, gap, generator_states, repr_problem
from fewshot.plugins.registry import TRANSFORMS
from fewshot.transforms import FeatureTransform, Transform


@dataclass(frozen=True)
class TransformWorld:
    """Features of seen classes, and features to map; some of the latter are zero, huge or tiny."""

    dtype: torch.dtype

    def seen(self, seed: int = 1) -> Tensor:
        """[50, 8] features of the seen classes."""
        return torch.randn(50, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(self.dtype) + 1

    def features(self) -> Tensor:
        """[3, 4, 8] features to map."""
        features = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        features[0, :3] *= torch.tensor([0.0, 1e6, 1e-6])[:, None]
        return features.to(self.dtype)

    def fit(self, transform: FeatureTransform, seed: int = 1) -> Transform:
        """The map, fitted on the seen features if the transform needs them."""
        return transform.fit(self.seen(seed) if transform.needs_seen else None)


def shape_and_dtype(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """Mapped features are finite, [..., D] and of the same dtype, for zero, huge and tiny rows too; the map does not
    change its input."""
    features = world.features()
    mapped = world.fit(transform)(features)
    if mapped.shape[:-1] != features.shape[:-1] or mapped.dtype != world.dtype:
        return f"expected features [3, 4, D] of {world.dtype}; found {list(mapped.shape)} of {mapped.dtype}"
    if not torch.isfinite(mapped).all():
        return f"{int((~torch.isfinite(mapped)).any(-1).sum())} of 12 mapped rows are not finite"
    return None if torch.equal(features, world.features()) else "the map changes its input in place; return a copy"


def row_by_row(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """Each row is mapped independently of the other rows."""
    features, mapping = world.features(), world.fit(transform)
    whole, alone = mapping(features), mapping(features[1, 2:3])
    return None if close(alone, whole[1, 2:3]) else f"a mapped row depends on others, by {gap(alone, whole[1, 2:3])}"


def needs_seen_is_true(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """`needs_seen` is True exactly if the map depends on the seen classes; fitting without them then fails."""
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
    return "needs_seen is True, but fitting without seen classes raises no ValueError"


def same_call_same_bits(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """The same call gives the same bits and uses no global generator."""
    features = world.features()
    first = world.fit(transform)(features)
    torch.rand(3)
    before = generator_states()
    second = world.fit(transform)(features)
    if before != generator_states():
        return "the transform uses a global random generator; use a generator of its own with a fixed seed"
    return None if torch.equal(first, second) else "two equal calls give different bits"


def spec_round_trip(transform: FeatureTransform, world: TransformWorld) -> str | None:
    """The repr of the transform creates an equal transform."""
    return repr_problem(TRANSFORMS, transform)


LAWS = (shape_and_dtype, row_by_row, needs_seen_is_true, same_call_same_bits, spec_round_trip)


def worlds(transform: FeatureTransform) -> list[TransformWorld]:
    """The worlds for testing a transform."""
    return [TransformWorld(torch.float32), TransformWorld(torch.float64)]
