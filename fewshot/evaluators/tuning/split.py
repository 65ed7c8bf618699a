"""A network in two parts: a frozen trunk and a trained tail.

This cuts any network, without knowledge of its code: the tail skips the frozen modules that run before any trained one
and replays their outputs. A trial run finds the outputs that are really used; only these are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from fewshot.evaluators.tuning.layout import arranged


@dataclass(frozen=True)
class Split:
    """Where a network is cut: names of modules, so it holds for every copy of it."""

    calls: tuple[str, ...]  # the outermost frozen modules, in the order of their calls before the cut
    shapes: tuple[tuple[int, ...], ...]  # the output of each for one image
    needed: tuple[int, ...]  # indices of the calls whose outputs the tail uses
    input_shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """F, the number of activations that the trunk hands to the tail for one image."""
        return sum(self.sizes)

    @property
    def is_whole(self) -> bool:
        """Whether no module of the network is trained, so that the activations are its features [D]."""
        return self.calls == ("",) and len(self.shapes[0]) == 1

    @property
    def sizes(self) -> list[int]:
        """The size of each needed output."""
        return [prod(self.shapes[call]) for call in self.needed]


class Trunk(nn.Module):
    """The frozen part: inputs [b, 3, H, W] to activations [b, F]."""

    def __init__(self, network: nn.Module, split: Split) -> None:
        super().__init__()
        self.network, self.split = network, split

    def forward(self, inputs: Tensor) -> Tensor:
        """Runs the network up to the cut."""
        outputs = [output for _, output in _calls_before_training(self.network, inputs)]
        return torch.cat([outputs[call].flatten(1) for call in self.split.needed], dim=1)


class Tail(nn.Module):
    """The trained part: activations [b, F] to features [b, D]."""

    def __init__(self, network: nn.Module, split: Split, layout: str | None = None) -> None:
        super().__init__()
        self.network, self.split, self.layout = network, split, layout

    def forward(self, activations: Tensor) -> Tensor:
        """Runs the network from the cut on. It may overwrite the activations."""
        b, split = len(activations), self.split
        blank = activations.new_zeros(1)
        outputs = [blank.expand(b, *shape) for shape in split.shapes]
        for call, part in zip(split.needed, torch.split(activations, split.sizes, dim=1), strict=True):
            outputs[call] = arranged(part.reshape(b, *split.shapes[call]), self.layout)
        return _replayed(self.network, split.calls, outputs, blank.expand(b, *split.input_shape))


def find_split(network: nn.Module, example: Tensor) -> Split | None:
    """The cut of a network in eval mode before the first module with a gradient; None if it cannot be cut, or if
    nothing is frozen. `example`: two or more inputs [b, 3, H, W] for the trial run."""
    with torch.no_grad():
        recorded = _calls_before_training(network, example)
    if not all(isinstance(o, Tensor) and o.ndim and len(o) == len(example) for _, o in recorded):
        return None
    calls = tuple(name for name, _ in recorded)
    shapes = tuple(tuple(output.shape[1:]) for _, output in recorded)
    needed = _used(network, calls, [output for _, output in recorded], example)
    if not needed:
        return None
    split = Split(calls, shapes, needed, tuple(example.shape[1:]))
    with torch.no_grad():
        whole, halves = network(example), Tail(network, split)(Trunk(network, split)(example))
    return split if torch.allclose(halves, whole, rtol=1e-4, atol=1e-5 * float(whole.abs().max())) else None


def _used(network: nn.Module, calls: Sequence[str], outputs: Sequence[Tensor], example: Tensor) -> tuple[int, ...]:
    """The calls whose outputs the features depend on; none if they also depend on the input directly."""
    leaves = [output.detach().clone().requires_grad_() for output in (*outputs, example)]
    with torch.enable_grad():
        copies = [leaf * 1 for leaf in leaves]  # may be overwritten
        features = _replayed(network, calls, copies[:-1], copies[-1])
        if not features.requires_grad:
            return ()
        *gradients, of_input = torch.autograd.grad(features.sum(), leaves, allow_unused=True)
    return () if of_input is not None else tuple(i for i, g in enumerate(gradients) if g is not None)


class _Reached(Exception):
    """A trained module is about to run."""


def _is_trained(module: nn.Module) -> bool:
    return module.training or any(p.requires_grad for p in module.parameters(recurse=False))


def _calls_before_training(network: nn.Module, inputs: Tensor) -> list[tuple[str, Any]]:
    """Names and outputs of the outermost calls of frozen modules, until a trained module runs."""
    calls: list[tuple[str, Any]] = []
    inside: list[nn.Module] = []

    def enter(module: nn.Module, _: Any) -> None:
        inside.append(module)

    def leave(module: nn.Module, _: Any, output: Any) -> None:
        inside.pop()
        if not inside:
            calls.append((names[module], output))

    def reached(module: nn.Module, _: Any) -> None:
        raise _Reached

    names = {module: name for name, module in network.named_modules()}
    handles = []
    for module in names:
        if not any(_is_trained(part) for part in module.modules()):
            handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
        elif _is_trained(module):
            handles.append(module.register_forward_pre_hook(reached))
    try:
        network(inputs)
    except _Reached:
        pass
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _replayed(network: nn.Module, calls: Sequence[str], outputs: Sequence[Any], inputs: Tensor) -> Tensor:
    """The network's features; its first calls of these modules return these outputs without running."""
    left = iter(outputs)
    with _forwards(network, set(calls), lambda original: _replay(left, original)):
        features: Tensor = network(inputs)
    return features


def _replay(left: Iterator[Any], original: Callable[..., Any]) -> Callable[..., Any]:
    nothing = object()

    def forward(*args: Any, **kwargs: Any) -> Any:
        output = next(left, nothing)
        return original(*args, **kwargs) if output is nothing else output

    return forward


@contextmanager
def _forwards(
    network: nn.Module, names: set[str], changed: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Replaces the `forward` methods of some modules inside the context."""
    modules = [network.get_submodule(name) for name in names]
    own = [vars(module).get("forward") for module in modules]
    for module in modules:
        module.forward = changed(module.forward)
    try:
        yield
    finally:
        for module, before in zip(modules, own, strict=True):
            if before is None:
                del module.forward
            else:
                module.forward = before
