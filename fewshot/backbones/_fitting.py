"""Fits the entries of a state to a network, or counts the mismatches. Never changes a weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from fewshot.plugins.wording import agreeing, counted

Tensors = Mapping[str, Tensor]
# Modules that only training needs, if the network has none of that name.
_TRAINING_ONLY = re.compile(
    r"(mask_token|n_averaged|queue\w*|decoder\w*|projector|projection|projection_head|predictor|prototypes|dino_head|"
    r"ibot_head|head|heads|head_dist|fc|classifier)(\..*)?"
)
_HEADS = {"head", "heads", "head_dist", "fc", "classifier"}


class Misfit(ValueError):
    """Why a state does not fit a network, as the end of a sentence."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """Entries for a strict load, the names of unused entries, and a description of any conversion."""

    tensors: Tensors
    left_out: tuple[str, ...] = ()
    done: str = ""


def fit(network: nn.Module, tensors: Tensors) -> Fitted:
    """The entries that the network has, without those that only training needs. Integer entries that are missing or of
    another size are the network's own. A Misfit counts missing, unexpected and reshaped entries."""
    own = network.state_dict()
    modules = {name.partition(".")[0] for name in own} - _HEADS
    kept = {name: value for name, value in tensors.items() if _counts(name, value, own, modules)}
    tables = {name: value for name, value in own.items() if name not in kept and not value.is_floating_point()}
    mismatch = _mismatch(own, {**kept, **tables}, len(tensors))
    if mismatch:
        raise Misfit(mismatch)
    return Fitted({**kept, **tables}, tuple(name for name in tensors if name not in kept and name not in own))


def _counts(name: str, value: Tensor, own: Tensors, modules: set[str]) -> bool:
    """Whether an entry must fit the network."""
    if not value.is_floating_point():
        return name in own and own[name].shape == value.shape
    return name in own or name.partition(".")[0] in modules or not _TRAINING_ONLY.fullmatch(name)


def _mismatch(own: Tensors, tensors: Tensors, n_found: int) -> str:
    """Why a strict load would fail, or ''."""
    missing = [name for name in own if name not in tensors]
    unexpected = [name for name in tensors if name not in own]
    reshaped = [name for name in own if name in tensors and own[name].shape != tensors[name].shape]
    parts = []
    if missing:
        are = agreeing(len(missing), "is", "are")
        parts.append(f"{len(missing)} of {counted(len(own), 'entry')} {are} missing (first: {missing[0]})")
    if unexpected:
        parts.append(f"{len(unexpected)} of its {n_found} are unexpected (first: {unexpected[0]})")
    if reshaped:
        first = reshaped[0]
        parts.append(
            f"{len(reshaped)} have another shape (first: {first} is {tuple(tensors[first].shape)}, "
            f"should be {tuple(own[first].shape)})"
        )
    return ", ".join(parts)
