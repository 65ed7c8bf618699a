"""A copy of a network for an episode, and its trained parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

BatchNorm = nn.modules.batchnorm._BatchNorm


def shared_copy(network: nn.Module) -> nn.Module:
    """A copy in eval mode without gradients that shares the tensors of the original. Call `unfreeze` before training:
    it gives the trained parameters their own memory.

    A copy may train beside others: `data` has a count of changes of its own, where `detach` shares that of the
    original, and autograd refuses a gradient if another copy has changed in between.
    """
    memo: dict[int, Tensor] = {id(b): b.data for b in network.buffers()}
    memo |= {id(p): nn.Parameter(p.data, requires_grad=False) for p in network.parameters()}
    return copy.deepcopy(network, memo).eval()


def unfreeze(trained: Iterable[nn.Parameter]) -> None:
    """Gives parameters of a shared copy their own memory, and gradients."""
    for parameter in trained:
        parameter.data = parameter.data.clone()
        parameter.requires_grad_(True)


def parameters_of(network: nn.Module, tune: str) -> list[nn.Parameter]:
    """The parameters that "all", "head" (none of the network), "last k" or "norm" trains, in the network's order."""
    named = dict(network.named_parameters())
    if tune == "all":
        return list(named.values())
    if tune == "head":
        return []
    if tune == "norm":
        return norm_parameters(network)
    return [named[name] for name in last_blocks(network, int(tune.split()[-1]))]


def norm_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Scales and shifts of normalisation layers: those with "norm" in the name of their class. A network without any is
    a ValueError."""
    parameters = [
        parameter
        for module in network.modules()
        if "norm" in type(module).__name__.lower()
        for parameter in module.parameters(recurse=False)
    ]
    if not parameters:
        raise ValueError(
            "tune='norm' trains normalisation layers, but the network has none with parameters; choose another tune="
        )
    return list(dict.fromkeys(parameters))


def normalise_by_batch(network: nn.Module, trained: Iterable[nn.Parameter]) -> None:
    """Puts the trained BatchNorm layers into training mode: they normalise by the mini-batch and update their own
    running statistics. Layers without parameters follow if the whole network is trained."""
    chosen = set(trained)
    whole = all(parameter in chosen for parameter in network.parameters())
    for module in network.modules():
        if isinstance(module, BatchNorm) and (whole or any(p in chosen for p in module.parameters(recurse=False))):
            module.train()
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.clone())


def new_head(dim: int, n_way: int, device: torch.device, dtype: torch.dtype) -> nn.Linear:
    """A linear head of zeros. Does not use a global random generator."""
    head: nn.Linear = nn.utils.skip_init(nn.Linear, dim, n_way, device=device, dtype=dtype)  # type: ignore[no-untyped-call]
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    return head


def last_blocks(network: nn.Module, n_blocks: int) -> list[str]:
    """Names of the parameters of the last `n_blocks` blocks: timm's layer groups if the network has them, else its
    children in order."""
    names = [name for name, _ in network.named_parameters()]
    group_matcher = getattr(network, "group_matcher", None)
    if group_matcher is None:
        groups = [
            [n for n in names if n.startswith(f"{child}.") or n == child] for child, _ in network.named_children()
        ]
    else:
        from timm.models import group_parameters

        groups = list(group_parameters(network, group_matcher(coarse=False)).values())
    groups = [group for group in groups if group]
    if n_blocks > len(groups):
        raise ValueError(
            f"tune='last {n_blocks}' needs {n_blocks} blocks, but the network has "
            f"{len(groups)}; choose fewer or tune='all'"
        )
    return [name for group in groups[-n_blocks:] for name in group]
