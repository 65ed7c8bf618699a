"""How fewshot runs the laws: each law examines a member in a world and says in words what is broken."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fewshot.plugins.registry import Registry


def broken_laws(member: Any, laws: Iterable[Callable[[Any, Any], str | None]], worlds: Iterable[Any]) -> list[str]:
    """One sentence for every law that the member breaks, from the first world that shows it. An exception breaks the
    law too."""
    broken: dict[str, str] = {}
    for world in worlds:
        for law in laws:
            try:
                problem = law(member, world)
            except Exception as error:
                problem = f"raised {type(error).__name__}: {error}"
            if problem:
                broken.setdefault(law.__name__, problem)
    return [f"{law}: {problem}" for law, problem in broken.items()]


def repr_problem(registry: Registry, member: Any) -> str | None:
    """A sentence if the repr of the member, by name or as package.module:Class(...), creates another member."""
    spec = repr(member)
    if type(member).__name__ not in registry.names():
        spec = f"{type(member).__module__}:{spec}"
    copy = registry.make(spec)
    return None if copy == member else f"the repr {spec} creates {copy!r}, which is not equal to the member"


def generator_states() -> str:
    """The states of the global random generators of torch, numpy and Python."""
    return f"{torch.get_rng_state().tolist()} {np.random.get_state(legacy=False)} {random.getstate()}"


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree to the tolerance of their dtype, relative to the largest value."""
    scale = max(1.0, float(b.abs().max()))
    return torch.allclose(a, b, rtol=1e-4, atol=(1e-4 if a.dtype == torch.float32 else 1e-8) * scale)


def gap(a: Tensor, b: Tensor) -> str:
    """The largest difference of two tensors, in words."""
    return f"up to {float((a - b).abs().max()):.1e}"
