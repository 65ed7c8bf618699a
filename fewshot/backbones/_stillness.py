"""A guard: use must not change a network, or it would embed later images differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

from fewshot.backbones import weights_digest


@contextmanager
def unchanged(network: nn.Module, name: str, during: str) -> Iterator[None]:
    """Raises a ValueError if weights or buffers, such as BatchNorm's running statistics, change inside the context."""
    before, digest = buffers_of(network), weights_digest(network.state_dict())
    yield
    check_still(network, before, name, during)
    if weights_digest(network.state_dict()) != digest:
        raise ValueError(_moved(name, during, "its weights changed"))


def buffers_of(network: nn.Module) -> dict[str, Tensor]:
    """Copies of a network's buffers, for `check_still`."""
    return {key: value.clone() for key, value in network.named_buffers()}


def check_still(network: nn.Module, before: Mapping[str, Tensor], name: str, during: str) -> None:
    """Raises a ValueError if the buffers of a network have changed."""
    now = dict(network.named_buffers())
    moved = [key for key, value in before.items() if key not in now or not _same(now[key], value)]
    if moved:
        raise ValueError(_moved(name, during, f"its buffer {moved[0]!r} moved"))


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two buffers are equal; NaN equals NaN."""
    return bool(((one == other) | ((one != one) & (other != other))).all())


def _moved(name: str, during: str, what: str) -> str:
    return (
        f"{name} is not the same network after {during}: {what}, so it would embed later images differently from "
        "earlier ones; put it in eval mode, and train a copy"
    )
