"""timm networks for a state of weights, and timm's own conversion of states: it renames entries and resamples position
embeddings."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import timm
import torch
from torch import Tensor, nn

from fewshot.backbones._fitting import Fitted, Misfit, Tensors, fit
from fewshot.backbones._timm_errors import BUILDING
from fewshot.backbones._timm_network import build, pretrained_config
from fewshot.plugins.wording import counted

_POSITIONS = re.compile(r"pos_emb|rel_pos|relative_position|attention_bias|rope|pos_table")


class Networks:
    """Networks of one name, each built once, with the number of classes of a state, or none."""

    def __init__(self, name: str, arguments: Mapping[str, Any]) -> None:
        self.name = name
        self.of = cache(lambda size, classes: build(name, size, classes, **arguments))

    def names(self, size: int | None) -> set[str]:
        """The names of its entries."""
        return set(self.of(size, None).state_dict())

    def fitted(self, tensors: Mapping[str, Tensor], size: int | None) -> tuple[nn.Module, Fitted]:
        """A network and its entries: at `size`, else at its own size, else converted by timm."""
        for tried in dict.fromkeys((size, None)):
            try:
                network = self._for(tensors, tried)
                return network, fit(network, tensors)
            except Misfit:
                continue
        network = self._for(tensors, size)
        return network, fit_converted(network, self.name, tensors)

    def _for(self, tensors: Mapping[str, Tensor], size: int | None) -> nn.Module:
        network: nn.Module = self.of(size, None)
        own, count = network.state_dict(), 0
        named = pretrained_config(network).get("classifier") or ()
        classifiers = (named,) if isinstance(named, str) else tuple(named)
        weights = [(tensors.get(f"{c}.weight"), own.get(f"{c}.weight")) for c in classifiers]
        if weights and all(a is not None and b is not None and a.shape[1:] == b.shape[1:] for a, b in weights):
            count = weights[0][0].shape[0]  # type: ignore[union-attr]
        return network if count == getattr(network, "num_classes", count) else self.of(size, count)


def fit_converted(network: nn.Module, architecture: str, tensors: Tensors) -> Fitted:
    """As `fit`, after timm's own conversion for this architecture if needed: renamed entries, resampled position
    embeddings."""
    try:
        return fit(network, tensors)
    except Misfit as misfit:
        converted = _converted(network, architecture, tensors)
        if converted is None:
            raise
        try:
            return _described(fit(network, converted), tensors, converted)
        except Misfit:
            raise misfit from None


def _converted(network: nn.Module, architecture: str, tensors: Tensors) -> Tensors | None:
    """The tensors after timm's conversion; None if it fails, or changes more than names and positions."""
    module: Any = sys.modules[timm.model_entrypoint(architecture.partition(".")[0]).__module__]
    convert: Callable[..., Any] | None = getattr(module, "checkpoint_filter_fn", None)
    if convert is None:
        return None
    try:
        with torch.no_grad():
            converted: dict[str, Tensor] = dict(convert(dict(tensors), network))
    except BUILDING:
        return None
    name_of = {id(value): name for name, value in tensors.items()}
    for name, value in converted.items():
        before = tensors.get(name)
        if before is not None and value is not before:
            moved = id(value) in name_of  # timm took entries by their order
            if moved or (value.numel() != before.numel() and not _POSITIONS.search(name)):
                return None
    return converted


def _described(fitted: Fitted, before: Tensors, after: Tensors) -> Fitted:
    """The same, with all unused entries and a description of the conversion."""
    resampled = [name for name, value in fitted.tensors.items() if name in before and value.shape != before[name].shape]
    renamed = sum(name not in before for name in fitted.tensors if name in after)
    words = [f"timm gave {counted(renamed, 'entry')} its own names"] if renamed else []
    if resampled:
        first = resampled[0]
        shapes = tuple(before[first].shape), tuple(fitted.tensors[first].shape)
        entries = f"{counted(len(resampled), 'entry')} of positions"
        words.append(f"timm resampled {entries}, such as {first} from {shapes[0]} to {shapes[1]}")
    gone = (name for name in before if name not in after and not renamed)
    return replace(fitted, left_out=(*fitted.left_out, *gone), done=", ".join(words))
