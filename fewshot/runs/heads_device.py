"""Where evaluators of features compute: small episodes on the CPU, large ones on the device of the network."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch

from fewshot.plugins.devices import check_device

_LARGE = 1 << 21  # numbers in a support: 1000 images of 2048 features
BUDGET_BYTES = 1 << 30  # for a batch of episodes on a device, which has no cache to stay in
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class HeadsDevice:
    """The device for episodes of a size. The compiled loops solve small episodes on the CPU, faster than a copy."""

    device: torch.device = _CPU
    always: bool = False  # whether small episodes go there too

    def of(self, n_support: int, dim: int) -> torch.device:
        """The device for a support of this size."""
        return self.device if self.always or n_support * dim >= _LARGE else _CPU


ON_CPU = HeadsDevice()


def heads_device(evaluator: object, network: torch.device, wanted: str | None) -> HeadsDevice:
    """Where to solve: on the wanted device; else large episodes on the GPU of the network. Evaluators that are not
    fewshot's own stay on the CPU unless a device is wanted: they may make tensors there."""
    if getattr(evaluator, "needs_cpu", False):
        return ON_CPU
    if wanted is not None:
        return HeadsDevice(torch.device(check_device(wanted)), always=True)
    return HeadsDevice(network) if network.type == "cuda" and _is_own(evaluator) else ON_CPU


def _is_own(evaluator: Any) -> bool:
    """Whether an evaluator and those inside it are fewshot's, and compute by torch."""
    if getattr(evaluator, "needs_cpu", False) or not type(evaluator).__module__.startswith("fewshot."):
        return False
    held = [getattr(evaluator, field.name) for field in fields(evaluator)] if is_dataclass(evaluator) else []
    return all(_is_own(inner) for inner in held if hasattr(inner, "examples"))
