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


class Stillness:
    """Checks batch by batch that use does not change the buffers of a network."""

    def __init__(self, network: nn.Module, name: str, during: str) -> None:
        self._network, self._name, self._during = network, name, during
        self._before = buffers_of(network)
        self._versions = _versions(network)
        self._on_cpu = all(buffer.device.type == "cpu" for buffer in self._before.values())

    def check(self) -> None:
        """Raises a ValueError if a buffer has changed. On a GPU it compares torch's counts of changes, because reading
        values would wait for the batch."""
        if self._on_cpu or _versions(self._network) != self._versions:
            self.check_values()

    def check_values(self) -> None:
        """Raises a ValueError if the value of a buffer has changed."""
        check_still(self._network, self._before, self._name, self._during)
        self._versions = _versions(self._network)


def _versions(network: nn.Module) -> list[tuple[int, int]]:
    """Which tensor each buffer is, and how often it was changed in place."""
    return [(id(buffer), buffer._version) for buffer in network.buffers() if not buffer.is_inference()]


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
