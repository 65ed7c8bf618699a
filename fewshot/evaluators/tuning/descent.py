"""Gradient descent on the support: mini-batches, optimiser, the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

OPTIMIZERS = ("sgd", "adam", "adamw")
Backward = Callable[[int], Tensor]  # maps a step to its loss, and adds the gradients to the parameters
Watch = Callable[[int, int], None]  # called with the steps done and the number of all steps


@dataclass(frozen=True)
class Descent:
    """Gradient descent with one learning rate for each step: "sgd", "adam" or "adamw"."""

    rates: Sequence[float]  # [steps]
    optimizer: str = "sgd"
    weight_decay: float = 0.0
    clip_norm: float | None = None  # the largest norm of the gradient of an episode
    momentum: float = 0.9  # for "sgd"
    head_factor: float = 1.0  # the rate of the head by that of the network

    def optimizer_of(
        self, parameters: Sequence[nn.Parameter], head: Sequence[nn.Parameter] = ()
    ) -> torch.optim.Optimizer:
        """The optimiser of these parameters, and of those of the head at its own rate."""
        groups: list[dict[str, Any]] = [{"params": [*parameters, *head]}]
        if head and self.head_factor != 1:
            groups = [{"params": [*parameters]}, {"params": [*head], "factor": self.head_factor}]
        if self.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=self.rates[0], momentum=self.momentum, weight_decay=self.weight_decay)
        adam = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
        return adam(groups, lr=self.rates[0], weight_decay=self.weight_decay)


def descend(
    parameters: Sequence[nn.Parameter],
    descent: Descent,
    backward: Backward,
    stacked: bool = False,
    watch: Watch | None = None,
    head: Sequence[nn.Parameter] = (),
) -> None:
    """Trains the parameters, and those of the head, in place, one step for each rate.

    `stacked`: the first axis of every parameter is the episode; each has its own gradient and loss. A loss that is not
    finite is a ValueError that names the step.
    """
    optimizer = descent.optimizer_of(parameters, head)
    for step, rate in enumerate(descent.rates):
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)
        optimizer.zero_grad()
        loss = backward(step)
        check_finite(loss, step, descent)
        if descent.clip_norm is not None:
            shorten_gradients([*parameters, *head], descent.clip_norm, stacked)
        optimizer.step()
        if watch is not None:
            watch(step + 1, len(descent.rates))


def shorten_gradients(parameters: Sequence[nn.Parameter], most: float, stacked: bool) -> None:
    """Scales the gradients of all parameters together to a norm of at most `most`; with `stacked`, each episode's."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = [g.reshape(len(g) if stacked else 1, -1) for g in gradients]
    norm = torch.stack([g.square().sum(1) for g in flat]).sum(0).sqrt()  # [B] or [1]
    factor = (most / norm.clamp_min(torch.finfo(norm.dtype).tiny)).clamp_max(1)
    for gradient in gradients:
        gradient.mul_(factor.reshape(-1, *[1] * (gradient.ndim - 1)) if stacked else factor[0])


def check_finite(loss: Tensor, step: int, descent: Descent) -> None:
    """Raises a ValueError that names the step if a loss is infinite or NaN."""
    if not bool(torch.isfinite(loss).all()):
        raise ValueError(
            f"the loss is not finite at step {step + 1} of {len(descent.rates)}, at a learning rate of "
            f"{descent.rates[step]:g}: tuning diverged; lower the rate, warm up, or clip the gradients"
        )


def mini_batches(n: int, batch_size: int | None, steps: int, seed: int, replacement: bool = False) -> Iterator[Tensor]:
    """`steps` mini-batches of positions in [0, n), from one shuffled order after another. If `batch_size` is None or at
    least n: the whole set, in order; with `replacement`, a batch larger than n is sampled with replacement."""
    if replacement and batch_size is not None and batch_size > n:
        drawing = torch.Generator().manual_seed(seed)
        yield from (torch.randint(n, (batch_size,), generator=drawing) for _ in range(steps))
        return
    if batch_size is None or batch_size >= n:
        yield from (torch.arange(n) for _ in range(steps))
        return
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(n, generator=generator)])
        yield order[:batch_size]
        order = order[batch_size:]
