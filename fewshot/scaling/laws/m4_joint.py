"""M4 fitted to one objective: `M4Joint`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.scaling.laws.m4 import M4


@dataclass(frozen=True)
class M4Joint(M4):
    """M4 with all parameters fitted to one objective: the regressor of alpha follows e_0. The published fit keeps it at
    the start of e_0. Our variant; docs/scaling.md compares them."""

    formula: ClassVar[str] = "(e - e_inf) / (e_0 - e)^alpha = beta x^c"
    for_losses: ClassVar[bool] = False

    _joint = True
