"""Learning rates of all steps."""

from __future__ import annotations

import math
from collections.abc import Callable

SCHEDULES = ("constant", "cosine", "step")
_DROPS = (0.3, 0.6, 0.9)  # shares of the steps after which "step" divides by 10


def learning_rates(schedule: str, lr: float, steps: int, warmup: int = 0) -> list[float]:
    """[steps] rates: `lr` times a factor.

    The first `warmup` steps rise linearly: lr / warmup, 2 lr / warmup, ... . Then "constant" stays; "cosine" falls
    along half a cosine that would reach 0 one step after the last (Loshchilov and Hutter 2017, arXiv 1608.03983);
    "step" is divided by 10 at 30, 60 and 90 % of all steps (Kolesnikov et al. 2020, arXiv 1912.11370).
    """
    factors: dict[str, Callable[[int], float]] = {
        "constant": lambda step: 1.0,
        "cosine": lambda step: (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2,
        "step": lambda step: 10.0 ** -sum(step >= drop * steps for drop in _DROPS),
    }
    factor = factors[schedule]
    return [lr * ((step + 1) / warmup if step < warmup else factor(step)) for step in range(steps)]
